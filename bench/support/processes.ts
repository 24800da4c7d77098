import { readdirSync, readFileSync } from "node:fs";

/** What a process, or the processes that took its place one after the other, used. */
export interface Use {
  cpuSeconds: number;
  peakMb: number;
}

const ticksPerSecond = 100;

/** Watches whatever process `pid` names at the moment, until `stop`; needs Linux' /proc. */
export function watchProcess(pid: () => number | undefined) {
  const seen = new Map<number, Use>();
  const look = () => {
    const current = pid();
    const use = current === undefined ? undefined : usage(current);
    if (current !== undefined && use) seen.set(current, use);
  };
  look();
  const first = new Map(seen);
  const timer = setInterval(look, 100);
  return {
    stop(): Use {
      look();
      clearInterval(timer);
      let cpuSeconds = 0;
      for (const [one, use] of seen) cpuSeconds += use.cpuSeconds - (first.get(one)?.cpuSeconds ?? 0);
      return { cpuSeconds, peakMb: Math.max(...[...seen.values()].map(({ peakMb }) => peakMb)) };
    },
  };
}

function usage(pid: number): Use | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    // A process that has just died has no memory any more.
    if (peak === undefined) return undefined;
    return { cpuSeconds: (user + system) / ticksPerSecond, peakMb: Number(peak) / 1_024 };
  } catch {
    return undefined;
  }
}

/** CPU seconds that a process and all that descend from it have used until now, the dead among them included. */
export function cpuSecondsOfTree(root: number): number {
  const parents = new Map<number, { parent: number; ticks: number }>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // Own and reaped children's, user and system time.
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      parents.set(Number(entry), { parent: Number(fields[1]), ticks });
    } catch {
      // It has ended meanwhile, and its parent has its time.
    }
  }
  const isInTree = (pid: number): boolean => pid === root || (pid > 1 && isInTree(parents.get(pid)?.parent ?? 0));
  let ticks = 0;
  for (const [pid, one] of parents) if (isInTree(pid)) ticks += one.ticks;
  return ticks / ticksPerSecond;
}
