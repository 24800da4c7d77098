import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Progress, stuckMessage, watchProgress } from "./progress.ts";

export interface Finished {
  ok: boolean;
  output: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** Ends the program early. */
  signal?: AbortSignal;
  /** Told the process id at once. */
  spawned?: ((pid: number) => void) | undefined;
  /** Told each line that it writes to its error output while it runs: why it has to wait, for example. */
  complained?: ((line: string) => void) | undefined;
  /** Processes that work for it: what they do is its progress too. */
  helpers?: () => readonly number[];
  /** So long without progress is given up; see `progress.ts`. */
  noProgressMs?: number;
}

/**
 * Runs a program to its end and gives what it wrote; does not throw, also not when the program is missing. It may take
 * as long as it makes progress.
 */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  const { helpers = () => [], noProgressMs, spawned, complained, ...how } = options;
  let progress: Progress | undefined;
  const finished = new Promise<Finished>((resolve) => {
    const child = spawn(command, args, { ...how, stdio: ["ignore", "pipe", "pipe"] });
    if (child.pid) spawned?.(child.pid);
    if (complained) createInterface({ input: child.stderr }).on("line", complained);
    let output = "";
    progress = watchProgress({
      pids: () => [child.pid ?? 0, ...helpers()],
      limitMs: noProgressMs,
      stuck() {
        output += `${stuckMessage(command, noProgressMs)}\n`;
        child.kill("SIGKILL");
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
        progress?.shown();
      });
    }
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
  return finished.finally(() => progress?.end());
}

/** Gives the command line of a running process; nothing when there is none (a zombie counts as none). */
export function commandOf(pid: number): string | undefined {
  try {
    const line =
      process.platform === "linux"
        ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
        : execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return line.trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Ends the server that an earlier, killed supervisor left running on a data folder, by the pid file it wrote there. It
 * has as long as it makes progress: PostgreSQL writes a checkpoint first.
 */
export async function stopLeftover(folder: string, pidFile: string, signal: NodeJS.Signals): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
  if (pid > 1 && worksOn(pid, folder)) send(pid, signal);
  const progress = watchProgress({ pids: () => [pid], stuck: () => send(pid, "SIGKILL") });
  while (worksOn(pid, folder)) await sleep(50);
  progress.end();
  rmSync(pidFile, { force: true });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** After a reboot the number in a pid file may belong to any process. */
function worksOn(pid: number, folder: string): boolean {
  if (commandOf(pid)?.includes(folder)) return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}
