import { once } from "node:events";
import { chmodSync, mkdirSync } from "node:fs";
import { startWatchdog } from "../services/watchdog.ts";
import { bringUp } from "./bring-up.ts";
import { say, step } from "./console.ts";
import { inWords } from "./file-trouble.ts";
import type { GivenServers } from "./given-servers.ts";
import { noteWatchdog } from "./lock.ts";
import { directory, paths } from "./paths.ts";
import type { DemoOptions } from "./prepare.ts";
import { createSupervisor } from "./supervisor.ts";

export interface RunOptions {
  apiPort: number;
  demo: DemoOptions;
  given: GivenServers;
}

/** Runs the stack until a signal, or until a part of it does not start; gives the exit code. */
export async function runUntilStopped(options: RunOptions): Promise<number> {
  const { signal, failed } = stopSignal();
  makePrivate([paths.logs, paths.mail, paths.redis, paths.s3]);
  const watchdog = startWatchdog([paths.stack]);
  noteWatchdog(watchdog.pid);
  const supervisor = createSupervisor(paths.logs, watchdog);
  const stopped = signal.aborted ? Promise.resolve() : once(signal, "abort");
  step(`Node ${process.version}, data in ${directory}`);
  try {
    await Promise.race([bringUp({ ...options, supervisor, signal }), stopped]);
    await stopped;
  } catch (error) {
    failed(error);
  }
  say(`stopping (${signal.reason})`);
  await supervisor.stop();
  await watchdog.release();
  say("stopped");
  return signal.reason === "error" ? 1 : 0;
}

/** What people have sent and stored is for the owner of the stack only; PostgreSQL sees to its folder itself. */
function makePrivate(folders: string[]): void {
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
  }
}

/** Aborts at the first signal; the handlers stay, because a second signal must not cut the stop short. */
function stopSignal() {
  const stopping = new AbortController();
  const failed = (thrown: unknown) => {
    if (stopping.signal.aborted) return;
    const error = inWords(thrown);
    console.error(`\n${error instanceof Error ? error.message : error}\n`);
    stopping.abort("error");
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stopping.abort(name));
  process.on("uncaughtException", failed);
  // The reader of our output may go away, for example `npm start | head`.
  process.stdout.on("error", () => stopping.abort("the output has no reader"));
  const parent = process.ppid;
  const orphaned = () => process.ppid !== parent && stopping.abort("npm has gone");
  if (process.env.npm_lifecycle_event) setInterval(orphaned, 1_000).unref();
  return { signal: stopping.signal, failed };
}
