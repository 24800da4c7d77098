import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

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
}

/** Runs a program to its end and gives what it wrote; does not throw, also not when the program is missing. */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
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

/** Ends the server that an earlier, killed supervisor left running on a data folder, by the pid file it wrote there. */
export async function stopLeftover(folder: string, pidFile: string, signal: NodeJS.Signals): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
  if (pid > 1 && worksOn(pid, folder)) process.kill(pid, signal);
  for (let waited = 0; worksOn(pid, folder); waited += 50) {
    if (waited === 5_000) process.kill(pid, "SIGKILL");
    await sleep(50);
  }
  rmSync(pidFile, { force: true });
}

/** After a reboot the number in a pid file may be that of anybody. */
function worksOn(pid: number, folder: string): boolean {
  if (commandOf(pid)?.includes(folder)) return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}
