import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { checkApiPort } from "../../dev/stack/checks.ts";
import { inWords } from "../../dev/stack/file-trouble.ts";
import { readGivenServers } from "../../dev/stack/given-servers.ts";
import { Refusal } from "../../dev/stack/refusal.ts";
import { readSecrets } from "../../dev/stack/secrets.ts";
import { checkVariables } from "../../dev/stack/variables.ts";

const folder = (name: string) => mkdtempSync(join(inject("directory"), `${name}-`));

/** What a person sees who starts with these variables, up to the first line of what is well. */
function start(env: Record<string, string>, cwd = process.cwd()) {
  const args = ["--import", "./dev/before-start.mjs", "--import", "tsx", "dev/stack.ts"];
  const { PATH, HOME } = process.env;
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd,
    env: { PATH, HOME, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stderr };
}

/** A checkout with these packages alone. */
function checkoutWith(...packages: string[]) {
  const cwd = folder("checkout");
  cpSync("dev/before-start.mjs", join(cwd, "dev/before-start.mjs"), { recursive: true });
  for (const name of packages) mkdirSync(join(cwd, "node_modules", name), { recursive: true });
  return cwd;
}

test.each([
  ["nothing is installed", [], "Run: npm install\n"],
  ["NODE_ENV=production was set", ["express"], "Run: npm install --include=dev\n"],
  ["what is optional was left out", ["tsx", "typescript", "@esbuild/plan9-mips"], "--include=optional"],
])("says what to do where %s", (_what, packages, advice) => {
  const cwd = checkoutWith(...packages);
  if (packages.length === 0) rmSync(join(cwd, "node_modules"), { recursive: true, force: true });
  const { status, stderr } = start({}, cwd);
  expect(stderr).toContain(advice);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(status).toBe(1);
});

test("says which folder for temporary files is not there", () => {
  expect(start({ TMPDIR: "/nowhere/tmp" })).toEqual({
    status: 1,
    stderr: expect.stringMatching(/^\/nowhere\/tmp, .*TMPDIR/),
  });
});

test.skipIf(process.platform !== "linux")("says which folder for temporary files takes none", () => {
  expect(start({ TMPDIR: "/proc" })).toEqual({
    status: 1,
    stderr: expect.stringMatching(/^You cannot write to \/proc, .* \(ENOENT\)\. Set TMPDIR/),
  });
});

test.skipIf(process.platform !== "linux").each(["/proc/x", "/proc/x/y", "/sys/x"])(
  "says that no folder can be made at %s, and does not try without end",
  (path) => {
    const { status, stderr } = start({ STACK_DIRECTORY: path });
    expect(stderr).toContain("STACK_DIRECTORY=/a/folder npm start");
    expect(stderr).toContain(`mkdir '${path.split("/").slice(0, 3).join("/")}'`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  },
);

test.each(["a file", "a folder below a file", "a loop"])(
  "says what is wrong with a data directory that is %s",
  (what) => {
    const file = join(folder("data"), "x");
    if (what === "a loop") symlinkSync(file, file);
    else writeFileSync(file, "");
    const { status, stderr } = start({ STACK_DIRECTORY: what === "a folder below a file" ? join(file, "y") : file });
    expect(stderr).toContain("STACK_DIRECTORY=/a/folder npm start");
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  },
);

test.each(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ELOOP", "ENOSPC", "EDQUOT", "EMFILE", "ENFILE"])(
  "%s of a file is said in words, with what to do",
  (code) => {
    const path = "/somewhere/var/log";
    const error = Object.assign(new Error(`${code}: no, mkdir '${path}'`), { code, path });
    expect(inWords(error)).toBeInstanceOf(Refusal);
    expect((inWords(error) as Refusal).message).toMatch(/STACK_DIRECTORY=|ulimit -n/);
  },
);

test("a file that is missing is no folder that cannot be made", () => {
  const missing = Object.assign(new Error("ENOENT"), { code: "ENOENT", path: "/x" });
  expect(inWords(Object.assign(missing, { syscall: "open" }))).toBe(missing);
  expect(inWords(Object.assign(missing, { syscall: "mkdir" }))).toBeInstanceOf(Refusal);
});

test("a full disk that a program of the stack met is said in words, and other errors stay as they are", () => {
  const { message } = inWords(new Error("initdb failed\ncould not write: No space left on device")) as Error;
  expect(message).toMatch(/^There is no space left for .*Make room.*\ninitdb failed\n/);
  for (const other of [new Error("something else"), Object.assign(new Error("no"), { code: "EACCES", port: 80 })])
    expect(inWords(other)).toBe(other);
});

test("secrets that cannot be read are not replaced by new ones", () => {
  const file = join(folder("secrets"), "secrets.json");
  const secrets = readSecrets(file);
  expect(readSecrets(file)).toEqual(secrets);
  rmSync(file);
  mkdirSync(file);
  expect(() => readSecrets(file)).toThrow("EISDIR");
});

test.each([
  [{ DATABASE_URL: "localhost" }, "DATABASE_URL is wrong"],
  [{ REDIS_URL: "localhost:6379" }, "REDIS_URL is wrong"],
  [{ SMTP_HOST: "mail", SMTP_PORT: "abc" }, "SMTP_PORT is wrong"],
  [{ BETTER_AUTH_URL: "auth.local" }, "BETTER_AUTH_URL is wrong"],
  [
    { S3_ENDPOINT_URL: "localhost:9000", S3_BUCKET_NAME: "b", S3_ACCESS_KEY: "k", S3_SECRET_KEY: "s" },
    "S3_ENDPOINT_URL is wrong",
  ],
])("names what is wrong in %o before anything is started", (env, said) => {
  expect(() => checkVariables(8080, readGivenServers(env))).toThrow(said);
});

test("names what is wrong in variables that are passed on, each once, and deletes nothing", () => {
  const env = {
    STACK_DIRECTORY: folder("kept"),
    PORT: "29999",
    RATE_LIMIT_USER: "many",
    MAIL_QUIET_HOURS: "night",
    LOG_LEVEL: "loud",
  };
  const { status, stderr } = start(env);
  expect(status).toBe(1);
  for (const name of ["RATE_LIMIT_USER", "MAIL_QUIET_HOURS", "LOG_LEVEL"]) expect(stderr.split(name)).toHaveLength(2);
  expect(() => checkVariables(8080, {})).not.toThrow();
});

test("a port that this user may not have is not called taken", async () => {
  if (process.getuid?.() === 0) return;
  await expect(checkApiPort("1")).rejects.toThrow("This user may not listen on port 1");
});
