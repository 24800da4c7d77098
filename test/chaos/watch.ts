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
  ledger: "SELECT count(*)::int AS jobs FROM job WHERE entity_type = 'chaos' AND finished_at IS NOT NULL",
  naive: "SELECT count(DISTINCT source_key)::int AS jobs FROM chaos_movement",
};

/** Looks at a run four times a second: how far the jobs are, and what the processes use. */
export function startWatch({ stack, variant, load, timeline, progress }: WatchOptions) {
  const peak = { rssMb: 0, files: 0 };
  let finished = 0;
  let isOver = false;
  const look = async () => {
    const [row] = await stack.postgres.query<{ jobs: number }>(finishedSql[variant]);
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
    isDrained: () => finished >= load.acknowledged.size,
    /** Resolves with the most that one process used. */
    async stop() {
      isOver = true;
      await looking;
      await look();
      return peak;
    },
  };
}
