import { commandOf } from "../services/processes.ts";
import { killGroup, type Running } from "../services/service.ts";
import type { Watchdog, Watched } from "../services/watchdog.ts";
import { say } from "./console.ts";
import { inWords } from "./file-trouble.ts";
import { type Keeper, keepRunning } from "./keep-running.ts";
import { openLog } from "./process-log.ts";
import { waitFor } from "./waiting.ts";

/** How and when a process is stopped; see the watchdog. */
export type Kind = keyof Watched;

export interface Hooks {
  name: string;
  log: (line: string) => void;
  spawned: (pid: number) => void;
}

export interface Supervisor {
  /** Starts a process and keeps it running; gives the first one when it is ready, throws when it does not get there. */
  keep<R extends Running>(name: string, kind: Kind, start: (hooks: Hooks) => Promise<R>): Promise<R>;
  /** Has a program that runs to its end stopped with the apps should this process die; gives what takes that back. */
  watch(pid: number): () => void;
  /** Process ids by name. */
  pids(): Record<string, number>;
  /** Calls the listener whenever a process has ended or come back. */
  onChange(listener: () => void): void;
  /** Adds what has to be stopped together with the services, but is no process of its own. */
  atEnd(stop: () => Promise<void>): void;
  /** Stops everything within ten seconds: first the apps, then what they need; says who had to be killed. */
  stop(): Promise<void>;
}

interface Entry {
  name: string;
  kind: Kind;
  pid: number;
  keeper?: Keeper<Running>;
}

const appsGraceMs = 5_500;
const servicesGraceMs = 3_000;

/** Looks after the processes of the stack; the watchdog learns each of their ids at once. */
export function createSupervisor(logFolder: string, watchdog: Watchdog): Supervisor {
  const entries: Entry[] = [];
  const programs = new Set<number>();
  const ends: (() => Promise<void>)[] = [];
  let listener = () => {};
  let stopped = false;

  function setPid(entry: Entry, pid: number): void {
    entry.pid = pid;
    tellWatchdog();
  }

  function tellWatchdog(): void {
    const pids = (kind: Kind) => entries.filter((other) => other.pid && other.kind === kind).map((other) => other.pid);
    watchdog.watch({ apps: [...pids("apps"), ...programs], services: pids("services"), databases: pids("databases") });
  }

  async function keep<R extends Running>(name: string, kind: Kind, start: (hooks: Hooks) => Promise<R>): Promise<R> {
    if (stopped) throw new Error("The stack is being stopped");
    const log = openLog(logFolder, name, kind === "apps");
    const entry: Entry = { name, kind, pid: 0 };
    entries.push(entry);
    const begin = () => start({ name, log: log.write, spawned: (pid) => setPid(entry, pid) });
    const keeper = keepRunning({
      name,
      start: () => waitFor(name, begin()).catch((error: unknown) => Promise.reject(inWords(error))),
      changed: (running) => {
        if (running) say(`${name} is back (process ${running.pid})`);
        else setPid(entry, 0);
        listener();
      },
      say,
      lastLines: log.tail,
    });
    entry.keeper = keeper;
    return keeper.first;
  }

  async function stopThose(chosen: Entry[], graceMs: number): Promise<void> {
    const stops = chosen.map(async ({ name, keeper }) => {
      if (await keeper?.stop(graceMs)) say(`${name} did not stop within ${graceMs / 1000} s and was killed`);
    });
    const timeout = new Promise((resolve) => setTimeout(resolve, graceMs + 500).unref());
    await Promise.race([Promise.allSettled(stops), timeout]);
    // What was in the middle of starting does not know its stop function yet.
    for (const { name, pid } of chosen.filter((entry) => entry.pid && commandOf(entry.pid))) {
      say(`${name} is killed`);
      killGroup(pid);
    }
  }

  return {
    keep,
    watch(pid) {
      programs.add(pid);
      tellWatchdog();
      return () => {
        programs.delete(pid);
        tellWatchdog();
      };
    },
    pids: () => Object.fromEntries(entries.filter(({ pid }) => pid).map(({ name, pid }) => [name, pid])),
    onChange: (given) => {
      listener = given;
    },
    atEnd: (end) => void ends.push(end),
    async stop() {
      stopped = true;
      const apps = entries.filter(({ kind }) => kind === "apps");
      await stopThose(apps, appsGraceMs);
      const others = entries.filter(({ kind }) => kind !== "apps");
      const timeout = new Promise((resolve) => setTimeout(resolve, servicesGraceMs).unref());
      await Promise.all([
        stopThose(others, servicesGraceMs),
        Promise.race([Promise.allSettled(ends.map((end) => end())), timeout]),
      ]);
    },
  };
}
