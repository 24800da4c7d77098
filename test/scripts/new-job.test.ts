import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { filesOf } from "../../scripts/new-job.ts";
import { linterProgram } from "../../scripts/side-packages.ts";
import { queueNames } from "../../src/jobs/queues.ts";

const read = (path: string) => readFileSync(path, "utf8");

describe("new:job", () => {
  test.each([
    ["Send Invoice", "mail", "'Send Invoice' is no name for a job"],
    ["send-invoice", "post", `There is no queue 'post'; there are ${queueNames.join(", ")}`],
    ["send-mail", "mail", "There is a job 'send-mail' already"],
  ])("refuses '%s' in '%s' in words", (name, queue, message) => {
    expect(() => filesOf(name, queue, read)).toThrow(message);
  });

  describe("in a copy of the tree", () => {
    const folder = mkdtempSync(join(tmpdir(), "tcf-new-job-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    for (const part of ["src", "dev", "test/support", "tsconfig.json", "biome.json", "package.json"])
      cpSync(part, join(folder, part), { recursive: true });
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    const files = filesOf("send-invoice", "mail", read);
    for (const [path, text] of Object.entries(files)) {
      const target = join(folder, path);
      cpSync("package.json", target, { recursive: true });
      writeFileSync(target, text);
    }
    const inCopy = (program: string, ...args: string[]) => spawnSync(program, args, { cwd: folder, encoding: "utf8" });

    test("what it writes compiles", () => {
      const config = JSON.stringify({
        extends: "./tsconfig.json",
        include: ["src/workers", "test/workers", "test/support/global-setup.ts"],
      });
      writeFileSync(join(folder, "tsconfig.copy.json"), config);
      expect(inCopy(resolve("node_modules/.bin/tsc"), "--noEmit", "-p", "tsconfig.copy.json").stdout).toBe("");
    });

    test("what it writes is what the linter wants", () => {
      const { stdout, stderr } = inCopy(linterProgram(), "check", ...Object.keys(files));
      expect(`${stdout}${stderr}`).toMatch(/Checked 6 files.*No fixes applied/s);
    });
  });
});
