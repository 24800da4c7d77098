import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { measure, type Sample } from "../platform/measure.ts";
import type { OutboxStats, QueueReport, Reports } from "./scaling/autoscaler.ts";

export type JobMetrics = ReturnType<typeof createJobMetrics>;

/** The job metrics of one process; names and labels are public, see docs/metrics.md. */
export function createJobMetrics(registry: Registry) {
  const registers = [registry];
  return {
    enqueued: new Counter({
      name: "jobs_enqueued_total",
      help: "Enqueued jobs that this process has published to their queue",
      labelNames: ["queue", "kind"],
      registers,
    }),
    wait: new Histogram({
      name: "jobs_wait_seconds",
      help: "Time that a job was in its queue before its first run began",
      labelNames: ["queue", "kind"],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 300, 1_800],
      registers,
    }),
    stalled: new Counter({
      name: "jobs_stalled_total",
      help: "Jobs whose worker went silent, as this process has noticed",
      labelNames: ["queue"],
      registers,
    }),
    lockRenewalsFailed: new Counter({
      name: "jobs_lock_renewal_failed_total",
      help: "Locks of running jobs that could not be renewed in time",
      labelNames: ["queue"],
      registers,
    }),
    finished: new Counter({
      name: "jobs_finished_total",
      help: "Runs of jobs, by how they ended",
      labelNames: ["queue", "kind", "outcome"],
      registers,
    }),
    run: new Histogram({
      name: "jobs_run_seconds",
      help: "Time that one run of a job took",
      labelNames: ["queue", "kind"],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    slots: new Gauge({
      name: "jobs_worker_slots",
      help: "Jobs that this process may run at once",
      labelNames: ["queue"],
      registers,
    }),
    busySlots: new Gauge({
      name: "jobs_worker_busy_slots",
      help: "Jobs that this process runs now",
      labelNames: ["queue"],
      registers,
    }),
  };
}

const shared = "the same from every process: aggregate with max, not sum";

/** Adds the load of each queue and the number of workers that it needs. */
export function measureQueues(registry: Registry, reports: () => Promise<Reports>) {
  const queue = (name: string, help: string, read: (report: QueueReport) => number) =>
    measure(registry, name, `${help}; ${shared}`, ["queue"], async () =>
      Object.entries(await reports()).map(([queue, report]) => [{ queue }, read(report)]),
    );
  const parts = (name: string, help: string, label: string, read: (report: QueueReport) => Record<string, number>) =>
    measure(registry, name, `${help}; ${shared}`, ["queue", label], async () =>
      Object.entries(await reports()).flatMap(([queue, report]) =>
        Object.entries(read(report)).map(([part, value]): Sample => [{ queue, [label]: part }, value]),
      ),
    );
  parts("jobs_queue_jobs", "Jobs in Redis by state", "state", ({ state }) => ({
    waiting: state.waiting,
    prioritized: state.prioritized,
    active: state.active,
    delayed: state.delayed,
    failed: state.failed,
  }));
  queue(
    "jobs_queue_oldest_ready_age_seconds",
    "How long the oldest job that could start has been waiting",
    ({ state }) => state.oldestReadyAgeSeconds,
  );
  queue("jobs_queue_latency_target_seconds", "How long a job that is ready may wait", ({ rule }) => rule.goalSeconds);
  queue("jobs_queue_paused", "1: the queue is paused", ({ state }) => (state.isPaused ? 1 : 0));
  queue("jobs_queue_workers", "Workers that have said in the last 15 s that they live", ({ state }) => state.workers);
  queue("jobs_autoscaler_desired_workers", "Workers that the queue needs", ({ desired }) => desired.desiredWorkers);
  queue(
    "jobs_autoscaler_unclamped_workers",
    "The number without minimum and maximum",
    ({ desired }) => desired.unclamped,
  );
  queue("jobs_autoscaler_max_workers", "Maximum number of workers", ({ rule }) => rule.maxWorkers);
  parts("jobs_autoscaler_input", "What the number of workers is computed from", "input", ({ state, desired }) => ({
    ready: desired.ready,
    active: state.active,
    arrivals_per_second: state.arrivalsPerSecond,
    service_seconds: desired.serviceSeconds,
  }));
}

/** Adds the jobs that wait on the outbox; also while Redis is unavailable. */
export function measureOutbox(registry: Registry, readStats: () => Promise<OutboxStats>) {
  measure(
    registry,
    "jobs_outbox_jobs",
    `Enqueued jobs that have been due for a second and are not in Redis; ${shared}`,
    ["queue"],
    async () => (await readStats()).promised.map(({ queue, jobs }) => [{ queue }, jobs]),
  );
  measure(
    registry,
    "jobs_outbox_oldest_unpublished_seconds",
    `How long the oldest enqueued job has been due without being in Redis: the lag of the relay; ${shared}`,
    [],
    async () => [[{}, Math.max(0, ...(await readStats()).promised.map(({ lagSeconds }) => lagSeconds))]],
  );
}

/** Adds which schedules have not succeeded for two periods, 1 for those. */
export function measureSchedules(registry: Registry, isStale: () => Promise<Record<string, boolean>>) {
  measure(
    registry,
    "jobs_schedule_stale",
    "1: a schedule that has not succeeded for two periods; the same from every worker: aggregate with max",
    ["schedule"],
    async () => Object.entries(await isStale()).map(([schedule, stale]) => [{ schedule }, stale ? 1 : 0]),
  );
}
