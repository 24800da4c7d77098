import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, flushRedis, halfOpenRedis, redisAway, wipedRedis } from "../faults/catalogue.ts";
import { inflict } from "../faults/inflict.ts";
import { type Fire, type RunResult, runScenario, type Scenario } from "../run.ts";
import type { Stack } from "../stack.ts";
import type { Gate, GateOptions } from "./gate.ts";

/** The cap of our reconnection (1 s) and one more. */
const resumeLimitMs = 2_000;

type Part = Pick<Scenario, "name" | "jobs" | "windowMs" | "attack"> & Partial<Scenario>;

async function runParts(options: GateOptions, parts: Part[]): Promise<RunResult[]> {
  const runs: RunResult[] = [];
  for (const part of parts) {
    const { seed, log, progress } = options;
    const run = await runScenario({ seed, log, progress, ...part });
    options.ran(run);
    runs.push(run);
  }
  return runs;
}

/** Redis goes away while jobs are promised at a steady pace; they have to start again soon after it is back. */
function outage(name: string, fault: Fault, awayMs: number): Part {
  const windowMs = awayMs + 8_000;
  return {
    name,
    jobs: Math.round(windowMs / 20),
    windowMs,
    async attack(fire) {
      await sleep(3_000);
      await inflict(fire.stack, fire.random, [fault], { windowMs: 10, timeline: fire.timeline });
      await resumes(fire);
    },
  };
}

async function resumes({ stack, complain, note }: Fire) {
  const back = await stack.postgres.query<{ now: string }>("SELECT clock_timestamp()::text AS now");
  const startedSql = `SELECT extract(epoch FROM min(claimed_at) - $1::timestamptz) * 1000 AS ms
    FROM job WHERE entity_type = 'chaos' AND claimed_at > $1::timestamptz`;
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const [row] = await stack.postgres.query<{ ms: string | null }>(startedSql, [back[0]?.now]);
    if (row?.ms == null) continue;
    const ms = Math.round(Number(row.ms));
    note(`The first job started ${ms} ms after Redis was back (goal: ${resumeLimitMs} ms).`);
    if (ms > resumeLimitMs) complain(`Jobs started only ${ms} ms after Redis was back`);
    return;
  }
  complain("No job started within 30 s after Redis was back");
}

/** All jobs wait in Redis, then it forgets them; the workers come after that. */
function waiting(name: string, jobs: number, fault: Fault): Part {
  return {
    name,
    jobs,
    windowMs: 10,
    workers: 0,
    async attack(fire) {
      await fire.load.done;
      await untilInRedis(fire.stack);
      await inflict(fire.stack, fire.random, [fault], { windowMs: 10, timeline: fire.timeline });
      await startWorkers(fire.stack);
    },
  };
}

/** Redis is full: it takes nothing more, and has to be given room. */
const full: Part = {
  name: "OOM",
  jobs: 2_000,
  windowMs: 10_000,
  async attack({ stack: { redis }, timeline }) {
    await sleep(2_000);
    const mark = timeline.mark("Redis full");
    await redis.client.config("SET", "maxmemory", "1mb");
    await sleep(6_000);
    await redis.client.config("SET", "maxmemory", "0");
    mark.end("maxmemory 1 MB for 6 s");
  },
};

async function untilInRedis({ postgres }: Stack) {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const [row] = await postgres.query<{ jobs: number }>("SELECT count(*)::int AS jobs FROM job_outbox");
    if (row?.jobs === 0) return;
  }
  throw new Error("The relays did not move the jobs to Redis within 30 s");
}

const startWorkers = ({ fleet, role }: Stack) =>
  Promise.all([1, 2, 3].map((n) => fleet.start(`worker-${n}`, role("worker"))));

export const redisShort: Gate = {
  name: "RED-20",
  promise: "Redis away for 20 s: requests go on, and jobs run within 2 s of its return.",
  isLong: false,
  run: (options) => runParts(options, [{ ...outage("Redis away 20 s", redisAway(20_000), 20_000), workers: 1 }]),
};

export const redisLong: Gate = {
  name: "RED",
  promise: "Redis away, emptied with 10,000 jobs waiting, full, and half-open: nothing is lost or done twice.",
  isLong: true,
  run: (options) =>
    runParts(options, [
      outage("away 3 s", redisAway(3_000), 3_000),
      outage("away 20 s", redisAway(20_000), 20_000),
      outage("away 120 s", redisAway(120_000), 120_000),
      outage("half-open 30 s", halfOpenRedis(30_000), 30_000),
      waiting("FLUSHALL with 10,000 waiting", options.jobs ?? 10_000, flushRedis),
      waiting("wiped with 10,000 waiting", options.jobs ?? 10_000, wipedRedis(3_000)),
      full,
    ]),
};
