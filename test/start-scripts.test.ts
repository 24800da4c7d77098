import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// The commands of package.json that run a program on servers of one's own, in a folder with or without `.env`.

const scripts = (JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> }).scripts;
const commands = ["start:api", "start:worker", "db:migrate"] as const;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tcf-start-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the program says that the command runs, from its source in place of its build. */
function saidBy(name: (typeof commands)[number], settings: string | undefined, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, ".env");
  rmSync(file, { force: true });
  if (settings !== undefined) writeFileSync(file, settings);
  const [node, ...args] = String(scripts[name])
    .replace(/dist\/(\S+)\.js/, `--import ${import.meta.resolve("tsx")} ${resolve("src")}/$1.ts`)
    .split(" ");
  expect(node).toBe("node");
  const { PATH, HOME } = process.env;
  return new Promise<string>((done) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: { PATH, HOME, TSX_TSCONFIG_PATH: resolve("tsconfig.json"), ...env } },
      (_error, _out, said) => done(said),
    );
  });
}

describe.each(commands)("npm run %s", (name) => {
  it("reads the settings of .env", async () => {
    const said = await saidBy(name, "DATABASE_URL=mysql://localhost/shop\nLOG_LEVEL=loud\n");
    expect(said).toContain("DATABASE_URL is wrong");
    expect(said).toContain("LOG_LEVEL is wrong");
  });

  it("prefers the variables that are set", async () => {
    const said = await saidBy(name, "DATABASE_URL=mysql://localhost/shop\nLOG_LEVEL=loud\n", { LOG_LEVEL: "info" });
    expect(said).toContain("DATABASE_URL is wrong");
    expect(said).not.toContain("LOG_LEVEL is wrong");
  });

  it("runs without .env", async () => {
    expect(await saidBy(name, undefined)).toContain("DATABASE_URL is not set");
  });
});
