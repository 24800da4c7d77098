import type { ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { accessSync, constants } from "node:fs";
import net from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** A process that was started and is ready. */
export interface Running {
  pid: number;
  /** Settles with the reason when the process has ended, for whatever cause. */
  exited: Promise<string>;
  /** Ends it softly, with force after the grace time (5 s); tells whether force was needed. */
  stop(graceMs?: number): Promise<boolean>;
}

/** A server that runs as a process of its own. */
export interface Service extends Running {
  name: string;
  url: string;
  /** Where its program was found, for people. */
  how: string;
}

/**
 * Gives a TCP port of 127.0.0.1 that was free a moment ago. It is below the range that the system gives to
 * outgoing connections and to those who ask for any port, so that it is likely to stay free.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000);
    if (await isPortFree(port)) return port;
  }
}

/** What to do about a port that was free when the stack chose it. */
export const portAdvice = "Stop that one, or start again: `npm start` then chooses another port.";

/** Tells whether the port can be used: no program answers there and this process may listen on it. */
export async function isPortFree(port: number): Promise<boolean> {
  return !(await whyNotFree(port));
}

/** Tells why this process cannot listen on the port: another one does, or the user may not; nothing when it can. */
export async function whyNotFree(port: number): Promise<"taken" | "forbidden" | undefined> {
  // macOS lets a second program listen on 127.0.0.1 beside one that listens on all addresses, so ask both ways.
  return (await answers(port)) ? "taken" : tryToListen(port);
}

/** Gives the full path of the first of the programs that is on `PATH`, or nothing. */
export function findOnPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Passes every line the process writes to `take`; its pipes are read in any case, so that it never blocks on them. */
export function eachLine(child: ChildProcess, take: (line: string) => void = () => {}): void {
  for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on("line", take);
}

/** How a process ended by itself: a signal of ours is no news to those who ask. */
export function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (!signal) return `exit code ${code}`;
  const memory = signal === "SIGKILL" ? "; the system does that when memory runs out" : "";
  return `${signal}, which the stack did not send${memory}`;
}

/** Settles with the reason when the process has ended. */
export function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(endOf(code, signal)));
  });
}

/** Sends the signal, waits for the end, and kills the process group after the grace time; tells if that was needed. */
export async function stopProcess(child: ChildProcess, signal: NodeJS.Signals, graceMs = 5_000): Promise<boolean> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
  const { pid } = child;
  let killed = false;
  const timer = setTimeout(() => {
    killed = true;
    killGroup(pid);
  }, graceMs);
  const exited = exitOf(child);
  child.kill(signal);
  await exited;
  clearTimeout(timer);
  return killed;
}

/** Kills a process that was started with `detached`, and all it started. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    // The system itself answers at once, but this process may be late to hear of it.
    socket.setTimeout(30_000, () => resolve(false));
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy()).once("timeout", () => socket.destroy());
  });
}

function tryToListen(port: number): Promise<"taken" | "forbidden" | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "EACCES" ? "forbidden" : "taken"));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(undefined)));
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
