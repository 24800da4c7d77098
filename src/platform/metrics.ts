import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Queues } from "./queues.ts";

/** Counts by route and status until somebody asks. */
class Tally {
  private readonly counts = new Map<string, { route: string; status: number; count: number }>();

  /** The counter of one route and status: whoever has it counts with `count++`. */
  of(route: string, status: number) {
    const key = `${status} ${route}`;
    const known = this.counts.get(key) ?? { route, status, count: 0 };
    this.counts.set(key, known);
    return known;
  }

  drain(take: (route: string, status: number, count: number) => void) {
    for (const entry of this.counts.values()) {
      take(entry.route, entry.status, entry.count);
      entry.count = 0;
    }
  }
}

export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of one process; names and labels are public, see docs/operations.md. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const ready = new Tally();
  return {
    registry,
    /** Answers sent from memory, by route and status; counted plainly, since a histogram would cost more than the answer. */
    readyAnswers: ready,
    readyAnswersTotal: new Counter({
      name: "http_ready_answers_total",
      help: "Answers that were sent from memory; http_request_duration_seconds does not count them",
      labelNames: ["route", "status"],
      registers,
      collect() {
        ready.drain((route, status, count) => this.inc({ route, status }, count));
      },
    }),
    httpDuration: new Histogram({
      name: "http_request_duration_seconds",
      help: "Time to answer, by route template",
      labelNames: ["method", "route", "status"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    jobsFinished: new Counter({
      name: "jobs_finished_total",
      help: "Runs of jobs, by how they ended",
      labelNames: ["queue", "kind", "outcome"],
      registers,
    }),
    jobRun: new Histogram({
      name: "jobs_run_seconds",
      help: "Time that one run of a job took",
      labelNames: ["queue", "kind"],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    cacheReads: new Counter({
      name: "cache_reads_total",
      help: "Reads through the cache, by where the value came from",
      labelNames: ["source"],
      registers,
    }),
  };
}

/** Adds the depth of every queue; asked of Redis at each scrape, absent while Redis is away. */
export function measureQueues({ registry }: Metrics, queues: Queues) {
  new Gauge({
    name: "jobs_queue_jobs",
    help: "Jobs in Redis by state; the same from every process: aggregate with max, not sum",
    labelNames: ["queue", "state"],
    registers: [registry],
    async collect() {
      this.reset();
      if (!queues.isUp()) return;
      for (const [queue, bull] of Object.entries(queues.byName)) {
        const counts = await bull
          .getJobCounts("waiting", "prioritized", "active", "delayed", "failed")
          .catch(() => ({}) as Record<string, number>);
        for (const [state, count] of Object.entries(counts)) this.set({ queue, state }, count);
      }
    },
  });
}

/**
 * Adds which schedules have not succeeded for two periods, 1 for those; asked at each scrape, absent while that cannot
 * be known.
 */
export function measureSchedules({ registry }: Metrics, isStale: () => Promise<Record<string, boolean>>) {
  new Gauge({
    name: "jobs_schedule_stale",
    help: "1: a schedule that has not succeeded for two periods; the same from every worker: aggregate with max",
    labelNames: ["schedule"],
    registers: [registry],
    async collect() {
      this.reset();
      const schedules = await isStale().catch(() => ({}) as Record<string, boolean>);
      for (const [schedule, stale] of Object.entries(schedules)) this.set({ schedule }, stale ? 1 : 0);
    },
  });
}
