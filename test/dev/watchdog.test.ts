import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, inject, test, vi } from "vitest";
import { commandOf } from "../../dev/services/processes.ts";

const directory = join(inject("directory"), "watchdog");
const moduleUrl = resolve("dev/services/watchdog.ts");

/** A parent that starts three children under a watchdog and writes their ids; one of them ignores SIGTERM. */
const parent = `
  import { spawn } from "node:child_process";
  import { startWatchdog } from ${JSON.stringify(moduleUrl)};
  const start = (script) => spawn("/bin/sh", ["-c", script], { detached: true, stdio: "ignore" }).pid;
  const app = start("while :; do sleep 0.1; done");
  const stubborn = start("trap '' TERM; while :; do sleep 0.1; done");
  const database = start("trap 'exit 0' INT; while :; do sleep 0.1; done");
  const watchdog = startWatchdog(process.argv.slice(1));
  watchdog.watch({ apps: [app], services: [stubborn], databases: [database] });
  console.log(JSON.stringify({ app, stubborn, database, watchdog: watchdog.pid }));
  setInterval(() => {}, 1000);
`;

test("stops all processes and deletes its folders when their parent is killed with -9", async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "file"), "");
  const args = ["--import", "tsx", "--input-type=module", "--eval", parent, directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line = "{}"] = await Promise.race([firstLine(child.stdout), never(child)]);
  const pids = Object.values(JSON.parse(line) as Record<string, number>);
  expect(pids.map(commandOf)).not.toContain(undefined);

  child.kill("SIGKILL");
  await vi.waitFor(() => expect(pids.map(commandOf)).toEqual(pids.map(() => undefined)), { timeout: 10_000 });
  expect(existsSync(directory)).toBe(false);
});

async function firstLine(input: NodeJS.ReadableStream): Promise<string[]> {
  for await (const line of createInterface({ input })) return [line];
  return [];
}

function never(child: ReturnType<typeof spawn>): Promise<string[]> {
  return new Promise((_, reject) => child.once("exit", () => reject(new Error("the parent ended by itself"))));
}
