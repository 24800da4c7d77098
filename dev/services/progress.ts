import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** What is started shows progress at least this often: on two cores with eighty busy programs it still does each second. */
export const noProgressMs = 120_000;

const lookEveryMs = 1_000;
const sameLookMs = 100;

export interface ProgressOptions {
  /** The processes that count, with all below them. */
  pids: () => readonly number[];
  /** So long without progress is the end; `noProgressMs` if not told otherwise. */
  limitMs?: number | undefined;
  /** Called once, when that time is over. */
  stuck: () => void;
}

export interface Progress {
  /** Tells that the process wrote something or sent a message. */
  shown(): void;
  /** Ends the watch at once: `stuck` is not called any more. */
  end(): void;
}

/**
 * Watches processes while they start: that they use the processor is progress, and so is what `shown` is called for.
 * The time is counted in looks, so that a time in which this process stood still itself does not count.
 */
export function watchProgress({ pids, limitMs = noProgressMs, stuck }: ProgressOptions): Progress {
  const everyMs = Math.min(lookEveryMs, limitMs / 10);
  let [idleMs, before, ended] = [0, processorTimeOf(pids()), false];
  const timer = setInterval(() => {
    const now = processorTimeOf(pids());
    idleMs = now === before ? idleMs + everyMs : 0;
    before = now;
    // First what lies in the pipes is read: a process that is ready just now is not stuck.
    if (idleMs >= limitMs) setImmediate(giveUp);
  }, everyMs);
  function giveUp() {
    if (ended || idleMs < limitMs) return;
    end();
    stuck();
  }
  function end() {
    ended = true;
    clearInterval(timer);
  }
  return {
    shown: () => {
      idleMs = 0;
    },
    end,
  };
}

/** Says who was killed, by whom, and for what. */
export function stuckMessage(name: string, limitMs = noProgressMs): string {
  return (
    `${name} was killed by the stack: for ${limitMs / 1000} s it has neither used the processor nor written anything ` +
    "(limit noProgressMs in dev/services/progress.ts)"
  );
}

interface Process {
  pid: number;
  parent: number;
  time: number;
}

/**
 * The processor time that these processes and all below them have used, with that of children that have ended;
 * only good for being compared with an earlier one.
 */
export function processorTimeOf(pids: readonly number[]): number {
  const table = processTable();
  const sum = (pid: number): number => {
    const { time = 0, children = [] } = table.get(pid) ?? {};
    return children.reduce((total, child) => total + sum(child), time);
  };
  return pids.reduce((total, pid) => total + sum(pid), 0);
}

type Table = Map<number, { time: number; children: number[] }>;

let latest = { at: Number.NEGATIVE_INFINITY, table: new Map() as Table };

/** One look serves all that are watched at the moment. */
function processTable(): Table {
  const at = performance.now();
  if (at - latest.at < sameLookMs) return latest.table;
  const table: Table = new Map();
  const entryOf = (pid: number) => {
    const entry = table.get(pid) ?? { time: 0, children: [] };
    table.set(pid, entry);
    return entry;
  };
  for (const { pid, parent, time } of readProcesses()) {
    entryOf(pid).time = time;
    entryOf(parent).children.push(pid);
  }
  latest = { at, table };
  return table;
}

function readProcesses(): Process[] {
  try {
    if (process.platform === "linux")
      return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap(readStat);
    return parsePs(execFileSync("ps", ["-Ao", "pid=,ppid=,time="], { encoding: "utf8" }));
  } catch {
    // Without a table it is the output alone that shows progress.
    return [];
  }
}

/** Fields 4 and 14 to 17 of proc_pid_stat(5); the name before them may hold spaces and brackets. */
function readStat(pid: string): Process[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const time = fields.slice(11, 15).reduce((all, ticks) => all + ticks, 0);
    return [{ pid: Number(pid), parent: fields[1] ?? 0, time }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** Lines of `pid ppid time`, where the time is `[[days-]hours:]minutes:seconds[.hundredths]`. */
export function parsePs(lines: string): Process[] {
  return lines
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(({ length }) => length === 3)
    .map(([pid, parent, time = ""]) => {
      const [first = 0, ...rest] = time.replace("-", ":").split(":").map(Number);
      return { pid: Number(pid), parent: Number(parent), time: rest.reduce((sum, part) => sum * 60 + part, first) };
    });
}
