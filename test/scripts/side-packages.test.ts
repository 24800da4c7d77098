import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tcf-side-"));
const bench = join(folder, "bench");
const stamp = () => readFileSync(join(bench, "node_modules/.installed-from"), "utf8");

/** A checkout whose `bench` needs no package, so that nothing is downloaded. */
beforeAll(() => {
  for (const file of ["scripts/side-packages.ts", "tools/load.ts", "package.json"]) cpSync(file, join(folder, file));
  mkdirSync(join(folder, "node_modules"));
  mkdirSync(bench);
  writeLock("1.0.0");
});
afterAll(() => rmSync(folder, { recursive: true }));

function writeLock(version: string) {
  const own = { name: "side", version };
  const lock = { ...own, lockfileVersion: 3, packages: { "": own } };
  writeFileSync(join(bench, "package.json"), JSON.stringify(own));
  writeFileSync(join(bench, "package-lock.json"), JSON.stringify(lock));
  writeFileSync(join(bench, ".npmrc"), "audit=false\nfund=false\n");
}

/** What a process says that needs the packages, and its exit code. */
async function install() {
  const code = 'import { installSide } from "./scripts/side-packages.ts"; installSide("bench");';
  const loader = resolve("node_modules/tsx/dist/loader.mjs");
  const child = spawn(process.execPath, ["--import", loader, "--input-type=module", "-e", code], { cwd: folder });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const [exitCode] = await once(child, "close");
  return { exitCode, said };
}

test("what a lock file says is installed once, also for several who need it at once, and again when it changes", async () => {
  const all = await Promise.all([install(), install(), install()]);
  expect(all.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const first = stamp();
  expect(await install()).toEqual({ exitCode: 0, said: "" });
  writeLock("2.0.0");
  expect(await install()).toEqual({ exitCode: 0, said: expect.stringContaining("bench") });
  expect(stamp()).not.toBe(first);
  expect(readdirSync(join(folder, "node_modules/.cache/tcf-backend"))).toEqual([]);
});

test("what cannot be installed is said, and leaves nothing", async () => {
  writeLock("3.0.0");
  writeFileSync(join(bench, "package.json"), "{");
  expect(await install()).toEqual({ exitCode: 1, said: expect.stringContaining("npm ci failed") });
  expect(readdirSync(join(folder, "node_modules/.cache/tcf-backend"))).toEqual([]);
});
