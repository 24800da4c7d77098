import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { resolveTool } from "../../../scripts/side-packages.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";

const { document, operations } = readDocument(routes);

/** Names of the operations for which the rule does not hold. */
const breaking = (rule: (operation: Described) => boolean) =>
  operations.filter((operation) => !rule(operation)).map(({ name }) => name);

describe("the OpenAPI document", () => {
  test("passes the recommended rules of Redocly", { timeout: 60_000 }, async () => {
    expect(await complaintsOfLinter(JSON.stringify(document))).toEqual([]);
  });

  test("would not pass with a mistake in it", { timeout: 60_000 }, async () => {
    const wrong = { ...document, info: { title: "No version" } };
    expect(await complaintsOfLinter(JSON.stringify(wrong))).toContainEqual(expect.stringContaining("version"));
  });

  test("names each operation once", () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.filter((id, n) => !id || ids.indexOf(id) !== n)).toEqual([]);
  });

  test("has a summary and one tag for each operation", () => {
    expect(breaking(({ summary }) => Boolean(summary?.trim()))).toEqual([]);
    expect(breaking(({ tags }) => tags?.length === 1)).toEqual([]);
  });

  test("declares how each operation succeeds", () => {
    expect(breaking(({ responses }) => Object.keys(responses).some((status) => /^2|^302$/.test(status)))).toEqual([]);
  });

  test("declares 401 and 403 wherever a caller may be refused", () => {
    const isOpen = ({ security }: Described) => !security?.some((way) => Object.keys(way).length > 0);
    expect(breaking((operation) => isOpen(operation) || "401" in operation.responses)).toEqual([]);
    const takesTokens = ({ security }: Described) => security?.some((way) => "bearer" in way);
    expect(breaking((operation) => !takesTokens(operation) || "403" in operation.responses)).toEqual([]);
  });

  test("declares 422 wherever a value may be wrong", () => {
    // The identity provider is answered 400 whatever is wrong (contract 2.6).
    const takesNothing = ({ parameters = [], requestBody, "x-access": access }: Described) =>
      parameters.length === 0 && (!requestBody || access === "webhook");
    expect(breaking((operation) => takesNothing(operation) || "422" in operation.responses)).toEqual([]);
  });

  test("declares 400 and 413 wherever there is a body, which may be broken or too large", () => {
    expect(breaking(({ requestBody, responses }) => !requestBody || "400" in responses)).toEqual([]);
    expect(breaking(({ requestBody, responses }) => !requestBody || "413" in responses)).toEqual([]);
  });

  test("declares all parameters of a path", () => {
    const named = ({ path }: Described) => [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const declared = ({ parameters = [] }: Described) => parameters.filter(({ in: place }) => place === "path");
    expect(
      breaking(
        (one) =>
          named(one).toSorted().join() ===
          declared(one)
            .map(({ name }) => name)
            .toSorted()
            .join(),
      ),
    ).toEqual([]);
  });

  test("has one shape for errors, and another for wrong values", () => {
    const refs = operations.flatMap(({ name, responses }) =>
      Object.entries(responses)
        .filter(([status]) => Number(status) >= 400)
        .map(([status, { content }]) => `${name} ${status} ${content?.["application/json"]?.schema?.$ref}`),
    );
    expect(refs.filter((ref) => !/ (422 .*\/InvalidRequest|(?!422)\d+ .*\/Problem)$/.test(ref))).toEqual([]);
  });
});

/** Errors that Redocly finds, each with the place where. */
async function complaintsOfLinter(text: string) {
  const directory = mkdtempSync(join(tmpdir(), "tcf-openapi-"));
  try {
    const file = join(directory, "openapi.json");
    writeFileSync(file, text);
    const cli = join(dirname(resolveTool("@redocly/cli/package.json")), "bin/cli.js");
    const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
    const lint = [cli, "lint", file, "--config", "test/redocly.yaml", "--format", "json"];
    // It exits with 1 when there are complaints, which is no reason to throw.
    const { stdout } = await promisify(execFile)(process.execPath, lint, { env }).catch((error) => error);
    const { problems } = JSON.parse(stdout) as { problems: Problem[] };
    return problems
      .filter(({ severity }) => severity === "error")
      .map(({ ruleId, message, location }) => `${location[0]?.pointer}: ${message} (${ruleId})`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface Problem {
  ruleId: string;
  severity: "error" | "warn";
  message: string;
  location: { pointer: string }[];
}
