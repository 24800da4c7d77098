import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
const digest = `sha256:${"0".repeat(64)}`;
const deployment = {
  API_IMAGE: `registry.example/api@${digest}`,
  WORKER_IMAGE: `registry.example/worker@${digest}`,
  DEPLOY_SIZE: "small",
  DEPLOY_VALUES: [
    "secrets: { existingSecret: shop }",
    "config: { S3_BUCKET_NAME: shop, BETTER_AUTH_URL: https://id.example, SMTP_HOST: smtp.example, SMTP_FROM: orders@shop.example }",
    "ingress: { hosts: [shop.example] }",
  ].join("\n"),
};

/** What a script of the pipelines says, and its exit code. */
function run(script: string, env: Record<string, string>, ...args: string[]) {
  return new Promise<{ code: number; said: string }>((done) => {
    const command = ["--import", "tsx", `scripts/${script}.ts`, ...args];
    execFile(process.execPath, command, { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
    );
  });
}

describe("a release", () => {
  it("has the same version everywhere", async () => {
    expect(await run("release-check", {})).toMatchObject({ code: 0 });
    const NODE_IMAGE = `node:24@${digest}`;
    expect(await run("release-check", { RELEASE_TAG: `v${version}`, NODE_IMAGE })).toMatchObject({ code: 0 });
  });

  it.each([
    ["a tag of another version", { RELEASE_TAG: "v99.0.0" }, "the tag is v99.0.0"],
    ["no base image", { RELEASE_TAG: `v${version}` }, "NODE_IMAGE is not set"],
    ["a base image that may change", { NODE_IMAGE: "node:24-bookworm-slim" }, "has no digest"],
  ])("is refused for %s", async (_what, env, says) => {
    expect(await run("release-check", env)).toEqual({ code: 1, said: expect.stringContaining(says) });
  });

  it("signs every image, by digest", async () => {
    const IMAGES = `${deployment.API_IMAGE}\n ${deployment.WORKER_IMAGE} `;
    const { said } = await run("release-sign", { IMAGES }, "--dry-run");
    expect(said.split("\n").filter(Boolean)).toEqual([
      `would run: cosign sign --yes ${deployment.API_IMAGE}`,
      `would run: cosign sign --yes ${deployment.WORKER_IMAGE}`,
    ]);
  });

  it("signs nothing by tag", async () => {
    const { code, said } = await run("release-sign", { IMAGES: "registry.example/api:v1" }, "--dry-run");
    expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining("is not repository@sha256:…") });
  });
});

describe("a deployment", () => {
  it("verifies both signatures, renders, upgrades and tries a job, in this order", async () => {
    const { code, said } = await run("deploy", { ...deployment, SIGNED_BY: "^https://example/" }, "--dry-run");
    const steps = Array.from(said.matchAll(/^(?:running|would run): (\S+) (\S+)/gm), ([, program = "", verb]) => [
      program.split("/").at(-1),
      verb,
    ]);
    expect({ code, steps }).toEqual({
      code: 0,
      steps: [
        ["cosign", "verify"],
        ["cosign", "verify"],
        ["helm", "template"],
        ["helm", "upgrade"],
        ["helm", "test"],
      ],
    });
    expect(said).toContain("--rollback-on-failure");
    expect(said).toContain(`images.worker.digest=${digest}`);
  });

  it.each([
    ["an image by tag", { WORKER_IMAGE: "registry.example/worker:v1" }, "is not repository@sha256:…"],
    ["values that the chart refuses", { DEPLOY_VALUES: "environment: production" }, "ingress.hosts is empty"],
    ["no values", { DEPLOY_VALUES: "" }, "DEPLOY_VALUES is not set"],
    ["an unknown size", { DEPLOY_SIZE: "huge" }, "values-huge.yaml"],
  ])("is refused for %s, before anything is changed", async (_what, changed, says) => {
    const { code, said } = await run("deploy", { ...deployment, ...changed }, "--dry-run");
    expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining(says) });
    expect(said).not.toContain("upgrade");
  });
});
