import { setTimeout as sleep } from "node:timers/promises";
import type { Load } from "./load.ts";
import type { Timeline } from "./report/timeline.ts";
import type { Variant } from "./run.ts";
import type { Stack } from "./stack.ts";

export interface Progress {
  seconds: number;
  wanted: number;
  promised: number;
  finished: number;
  faults: number;
  /** The fault that came last. */
  fault: string;
}

export interface WatchOptions {
  stack: Stack;
  variant: Variant;
  load: Load;
  timeline: Timeline;
  progress: ((now: Progress) => void) | undefined;
}

const lookMs = 250;

const finishedSql = {
  ledger: `SELECT count(*) FILTER (WHERE finished_at IS NOT NULL)::int AS jobs,
             count(*) FILTER (WHERE finished_at IS NULL)::int AS unfinished
           FROM job WHERE entity_type = 'chaos'`,
  naive: "SELECT count(DISTINCT source_key)::int AS jobs, 0 AS unfinished FROM chaos_movement",
};

/** Looks at a run four times a second: how far the jobs are, and what the processes use. */
export function startWatch({ stack, variant, load, timeline, progress }: WatchOptions) {
  const peak = { rssMb: 0, files: 0 };
  let finished = 0;
  // Also of those that the client was never told of: it may have gone away from one that was promised after all.
  let unfinished = 0;
  let isOver = false;
  const look = async () => {
    const [row] = await stack.postgres.query<{ jobs: number; unfinished: number }>(finishedSql[variant]);
    unfinished = row?.unfinished ?? 0;
    finished = (row?.jobs ?? 0) + (variant === "naive" ? stack.sink.received.size : 0);
    const promised = load.acknowledged.size;
    timeline.sample(promised, finished);
    for (const use of Object.values(stack.fleet.use())) {
      peak.rssMb = Math.max(peak.rssMb, use.rssMb);
      peak.files = Math.max(peak.files, use.files);
    }
    const { marks } = timeline;
    const seconds = timeline.now() / 1_000;
    const fault = marks.at(-1)?.name ?? "";
    progress?.({ seconds, wanted: load.orders.length, promised, finished, faults: marks.length, fault });
  };
  const looking = (async () => {
    for (; !isOver; await sleep(lookMs)) await look();
  })();
  return {
    isDrained: () => unfinished === 0 && finished >= load.acknowledged.size,
    /** Resolves with the most that one process used. */
    async stop() {
      isOver = true;
      await looking;
      await look();
      return peak;
    },
  };
}
