import { setTimeout as sleep } from "node:timers/promises";
import { planFaults, seeded } from "./faults.ts";
import { judge, type Verdict } from "./oracle.ts";
import { openStage, type Stage, type Variant } from "./stage.ts";
import type { Kind } from "./work.ts";

export interface ChaosOptions {
  variant: Variant;
  /** Half of them move stock, half send a mail. */
  jobs: number;
  faults: number;
  seed: number;
  /** Told how far it is. */
  progress?: (line: string) => void;
}

/** One moment of a run, for the picture. */
export interface Moment {
  seconds: number;
  promised: number;
  done: number;
}

export interface ChaosResult extends Verdict {
  options: ChaosOptions;
  seconds: number;
  /** From the last fault until nothing was left to do. */
  drainSeconds: number;
  struck: { name: string; seconds: number }[];
  moments: Moment[];
}

/** Jobs promised at once, as clients of an API do. */
const clients = 8;
/** Between the end of one fault and the next. */
const faultEveryMs = 1_100;
/** Longer than anything should take; how long it took is in the report. */
const patienceMs = 150_000;

/** Promises jobs while faults strike, waits until all is done, and counts from outside what happened. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const stage = await openStage(options.variant);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1_000;
  const acknowledged = new Set<number>();
  const struck: ChaosResult["struck"] = [];
  const moments: Moment[] = [];
  const watching = new AbortController();
  const watcher = watch(stage, options, acknowledged, moments, seconds, watching.signal);
  try {
    const plan = planFaults(options.faults, seeded(options.seed));
    const promising = promiseAll(stage, options, acknowledged, plan.length * faultEveryMs);
    for (const fault of plan) {
      await sleep(faultEveryMs);
      struck.push({ name: fault.name, seconds: seconds() });
      await fault.strike(stage);
    }
    const lastFault = seconds();
    await promising;
    await drained(stage, options, acknowledged);
    const verdict = await judge(stage, options.variant, acknowledged);
    return { ...verdict, options, seconds: seconds(), drainSeconds: seconds() - lastFault, struck, moments };
  } finally {
    watching.abort();
    await watcher;
    await stage.close();
  }
}

/** Every client asks until it is answered, as clients with an Idempotency-Key do. */
async function promiseAll(stage: Stage, { jobs }: ChaosOptions, acknowledged: Set<number>, overMs: number) {
  let next = 0;
  const pauseMs = (overMs / jobs) * clients;
  const client = async () => {
    while (next < jobs) {
      const n = next++;
      const kind: Kind = n % 2 === 0 ? "stock" : "mail";
      while (!(await isPromised(stage, n, kind))) await sleep(100);
      acknowledged.add(n);
      await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

async function isPromised({ producerUrl }: Stage, n: number, kind: Kind) {
  const signal = AbortSignal.timeout(5_000);
  return fetch(`${producerUrl}/${n}/${kind}`, { method: "POST", signal }).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** Until nothing is left to do, or nothing more comes of it. */
async function drained(stage: Stage, { variant, jobs }: ChaosOptions, acknowledged: Set<number>) {
  const end = Date.now() + patienceMs;
  let quietSince = Date.now();
  let before = -1;
  while (Date.now() < end) {
    const done = await countDone(stage, variant);
    if (variant === "ours" && done >= acknowledged.size && acknowledged.size >= jobs) return;
    if (done !== before) quietSince = Date.now();
    // The naive one cannot say whether it is done.
    if (variant === "naive" && Date.now() - quietSince > 10_000) return;
    before = done;
    await sleep(250);
  }
}

async function countDone(stage: Stage, variant: Variant) {
  const sql =
    variant === "ours"
      ? "SELECT count(*)::int AS done FROM job WHERE finished_at IS NOT NULL"
      : "SELECT count(*)::int AS done FROM chaos_movement";
  const [row] = await stage.query<{ done: number }>(sql).catch(() => []);
  return (row?.done ?? 0) + (variant === "naive" ? stage.sink.arrived.size : 0);
}

async function watch(
  stage: Stage,
  { variant, jobs, progress }: ChaosOptions,
  acknowledged: Set<number>,
  moments: Moment[],
  seconds: () => number,
  signal: AbortSignal,
) {
  while (!signal.aborted) {
    const done = await countDone(stage, variant);
    // A server that is away knows nothing.
    if (done > 0 || moments.length === 0) moments.push({ seconds: seconds(), promised: acknowledged.size, done });
    progress?.(`${seconds().toFixed(0)} s: ${acknowledged.size} of ${jobs} promised, ${moments.at(-1)?.done} done`);
    await sleep(500, undefined, { signal }).catch(() => undefined);
  }
}
