import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stage } from "./stage.ts";

export interface Fault {
  name: string;
  /** How often it comes, compared with others. */
  weight: number;
  strike(stage: Stage): Promise<void>;
}

const pauseMs = 5_000;
const outageMs = 3_000;

/** What happens to processes and servers (durability: kills, pauses, wiped and restarted servers, cut connections). */
export const faults: readonly Fault[] = [
  { name: "kill -9 a worker", weight: 6, strike: async (stage) => stage.kill("worker") },
  { name: "kill -9 the producer", weight: 4, strike: async (stage) => stage.kill("producer") },
  {
    name: "stop a worker for 5 s",
    weight: 2,
    async strike(stage) {
      const pid = stage.pidOf("worker");
      if (pid === undefined) return;
      signal(pid, "SIGSTOP");
      // Everything else goes on meanwhile.
      void sleep(pauseMs).then(() => signal(pid, "SIGCONT"));
    },
  },
  { name: "FLUSHALL", weight: 2, strike: async (stage) => void (await stage.redis.flushall().catch(() => undefined)) },
  {
    name: "Redis killed, its data deleted, 3 s away",
    weight: 1,
    async strike(stage) {
      await stage.stopRedis();
      rmSync(stage.redisDirectory, { recursive: true, force: true });
      await sleep(outageMs);
      await stage.startRedis();
    },
  },
  {
    name: "Postgres restarted at once",
    weight: 1,
    async strike(stage) {
      await stage.stopPostgres();
      await stage.startPostgres();
    },
  },
  { name: "3 mails cut before the reply", weight: 2, strike: async (stage) => stage.sink.cutAfter(3) },
];

function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name);
  } catch {
    // It was killed meanwhile.
  }
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A plan of so many faults: each kind comes once before chance decides. */
export function planFaults(count: number, random: () => number): Fault[] {
  const each = faults.slice(0, count);
  const tickets = faults.flatMap((fault) => Array<Fault>(fault.weight).fill(fault));
  const rest = Array.from(
    { length: Math.max(0, count - each.length) },
    () => tickets[Math.floor(random() * tickets.length)] as Fault,
  );
  const all = [...each, ...rest];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other] as Fault, all[last] as Fault];
  }
  return all;
}
