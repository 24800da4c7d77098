import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, inject, test, vi } from "vitest";
import { commandOf } from "../../dev/services/processes.ts";
import type { Watched } from "../../dev/services/watchdog.ts";
import { runNode } from "../../dev/stack/run-node.ts";
import { createSupervisor } from "../../dev/stack/supervisor.ts";

/** Runs a program as the start of the stack does, beside a watchdog that only notes what it is told. */
function runProgram(program: string) {
  const told: Watched[] = [];
  const watchdog = { pid: 0, watch: (list: Watched) => void told.push(list), release: async () => {} };
  const supervisor = createSupervisor(join(inject("directory"), "run-node-log"), watchdog);
  const { signal } = new AbortController();
  const surroundings = { signal, helpers: () => [], watch: supervisor.watch };
  const ended = runNode({ what: "trying", args: ["-e", program], env: process.env, ...surroundings });
  return { told, ended };
}

test("says while a program runs what it complains of", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const said = () => log.mock.calls.flat().join("\n");
  const { ended } = runProgram("console.error('no such host'); setTimeout(() => {}, 3000)");
  await vi.waitFor(() => expect(said()).toContain("no such host"), { timeout: 2_900, interval: 20 });
  await ended;
  log.mockRestore();
});

test("has the watchdog look after a program as long as it runs", async () => {
  const { told, ended } = runProgram("");
  const [pid = 0] = told.at(-1)?.apps ?? [];
  expect(commandOf(pid)).toBeDefined();
  await ended;
  expect(told.at(-1)).toEqual({ apps: [], services: [], databases: [] });
});

test("the watchdog ends a program without a group of its own that is deaf to SIGTERM", async () => {
  const child = spawn("/bin/sh", ["-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"]);
  await once(child.stdout, "data");
  const ended = once(child, "exit");
  const owner = spawn(process.execPath, ["--import", "tsx", "-e", ownerOf(child.pid ?? 0)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(owner.stdout, "data");
  owner.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
}, 30_000);

/** A process that has started a watchdog over another one. */
function ownerOf(pid: number) {
  return `
    import("./dev/services/watchdog.ts").then(({ startWatchdog }) => {
      startWatchdog().watch({ apps: [${pid}] });
      console.log("watching");
      setInterval(() => {}, 1000);
    });`;
}
