import { fork } from "node:child_process";
import { eachLine, exitOf, type Running, stopProcess } from "../services/service.ts";
import { untilReady } from "../services/until-ready.ts";
import { root } from "./paths.ts";
import type { Hooks } from "./supervisor.ts";

/** Node's arguments for running TypeScript without decorators: none where Node can do it by itself. */
export const typescriptArguments = process.features.typescript ? [] : ["--import", "tsx"];

/** Forks a module and waits until it sends "ready", as `untilReady` does; throws when it does not get there. */
export async function startNode(
  file: string,
  env: NodeJS.ProcessEnv,
  { name, log, spawned }: Hooks,
  execArgv: string[] = [],
): Promise<Running> {
  const child = fork(file, [], { env, execArgv, cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const exited = exitOf(child);
  const pid = child.pid ?? 0;
  spawned(pid);
  eachLine(child, log);
  await untilReady(child, { name });
  return { pid, exited, stop: (graceMs) => stopProcess(child, "SIGTERM", graceMs) };
}
