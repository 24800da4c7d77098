import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { commandOf } from "../services/processes.ts";
import { makeFolder } from "./make-folder.ts";
import { directory, paths } from "./paths.ts";
import { Refusal } from "./refusal.ts";

/** Makes this process the only stack of the data directory; throws a refusal when another one runs. */
export async function takeLock(): Promise<void> {
  await refuseWhileRunning();
  makeFolder(directory);
  try {
    writeFileSync(paths.lock, `${process.pid}\n`, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Refusal("Another `npm start` of this checkout has just begun.");
  }
}

/** Notes the process that the next stack has to wait for, should this one be killed. */
export function noteWatchdog(pid: number): void {
  writeFileSync(paths.watchdog, `${pid}\n`);
}

/** Lets the next stack start. */
export function releaseLock(): void {
  for (const file of [paths.lock, paths.watchdog]) rmSync(file, { force: true });
}

/**
 * Throws a refusal while a stack runs on the data directory. After one that was killed it waits until the watchdog has
 * stopped what was left.
 */
export async function refuseWhileRunning(): Promise<void> {
  const [supervisor, watchdog] = [readPid(paths.lock), readPid(paths.watchdog)];
  if (supervisor && commandOf(supervisor)?.includes("stack.ts")) {
    throw new Refusal(
      `\`npm start\` of this checkout runs already (process ${supervisor}); its addresses are in ${paths.stack}. ` +
        `To stop it: press Ctrl-C there, or \`kill ${supervisor}\`.`,
    );
  }
  rmSync(paths.stack, { force: true });
  while (watchdog && commandOf(watchdog)?.includes("tcf-watchdog")) await sleep(100);
  releaseLock();
}

function readPid(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}
