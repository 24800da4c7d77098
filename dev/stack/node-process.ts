import { fork } from "node:child_process";
import { eachLine, exitOf, type Running, stopProcess } from "../services/service.ts";
import { root } from "./paths.ts";
import type { Hooks } from "./supervisor.ts";

/** Node's arguments for running TypeScript without decorators: none where Node can do it by itself. */
export const typescriptArguments = process.features.typescript ? [] : ["--import", "tsx"];

const readyTimeoutMs = 30_000;

/** Forks a module and waits until it sends "ready"; throws when it ends before that or takes more than 30 s. */
export async function startNode(
  file: string,
  env: NodeJS.ProcessEnv,
  { log, spawned }: Hooks,
  execArgv: string[] = [],
): Promise<Running> {
  const child = fork(file, [], { env, execArgv, cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const exited = exitOf(child);
  const pid = child.pid ?? 0;
  spawned(pid);
  eachLine(child, log);
  const ready = new Promise<void>((resolve) => {
    child.on("message", (message) => {
      if (message === "ready") resolve();
    });
  });
  const timer = setTimeout(() => void stopProcess(child, "SIGKILL"), readyTimeoutMs);
  const early = await Promise.race([ready, exited]);
  clearTimeout(timer);
  if (early) throw new Error(`ended before it was ready: ${early}`);
  return { pid, exited, stop: (graceMs) => stopProcess(child, "SIGTERM", graceMs) };
}
