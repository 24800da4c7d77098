import { Gauge } from "prom-client";
import type { Books, QueueReport, Reports } from "./autoscaler.ts";
import type { Metrics } from "./metrics.ts";
import type { Queues } from "./queues.ts";

type Sample = [labels: Record<string, string>, value: number];

/** A gauge whose values are asked for at each scrape, and that is absent while nobody can tell. */
function asked({ registry }: Metrics, name: string, help: string, labelNames: string[], ask: () => Promise<Sample[]>) {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      const samples = await ask().catch(() => []);
      this.reset();
      // A gauge without labels would be 0 after a reset, and nobody has said so.
      if (samples.length === 0 && labelNames.length === 0) this.remove();
      for (const [labels, value] of samples) this.set(labels, value);
    },
  });
}

const shared = "the same from every process: aggregate with max, not sum";

/** Adds how every queue stands and how many workers it wants. */
export function measureQueues(metrics: Metrics, reports: () => Promise<Reports>) {
  const queue = (name: string, help: string, read: (report: QueueReport) => number) =>
    asked(metrics, name, `${help}; ${shared}`, ["queue"], async () =>
      Object.entries(await reports()).map(([queue, report]) => [{ queue }, read(report)]),
    );
  const parts = (name: string, help: string, label: string, read: (report: QueueReport) => Record<string, number>) =>
    asked(metrics, name, `${help}; ${shared}`, ["queue", label], async () =>
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
    "What it would be without least and most",
    ({ desired }) => desired.unclamped,
  );
  queue("jobs_autoscaler_max_workers", "The most workers there may be", ({ rule }) => rule.maxWorkers);
  parts("jobs_autoscaler_input", "What the number of workers is computed from", "input", ({ state, desired }) => ({
    ready: desired.ready,
    active: state.active,
    arrivals_per_second: state.arrivalsPerSecond,
    service_seconds: desired.serviceSeconds,
  }));
}

/** Adds what waits on the outbox; also while Redis is away. */
export function measureOutbox(metrics: Metrics, readBooks: () => Promise<Books>) {
  asked(
    metrics,
    "jobs_outbox_jobs",
    `Promised jobs that have been due for a second and are not in Redis; ${shared}`,
    ["queue"],
    async () => (await readBooks()).promised.map(({ queue, jobs }) => [{ queue }, jobs]),
  );
  asked(
    metrics,
    "jobs_outbox_oldest_unpublished_seconds",
    `How long the oldest promised job has been due without being in Redis: the lag of the relay; ${shared}`,
    [],
    async () => [[{}, Math.max(0, ...(await readBooks()).promised.map(({ lagSeconds }) => lagSeconds))]],
  );
}

/** Adds which schedules have not succeeded for two periods, 1 for those. */
export function measureSchedules(metrics: Metrics, isStale: () => Promise<Record<string, boolean>>) {
  asked(
    metrics,
    "jobs_schedule_stale",
    "1: a schedule that has not succeeded for two periods; the same from every worker: aggregate with max",
    ["schedule"],
    async () => Object.entries(await isStale()).map(([schedule, stale]) => [{ schedule }, stale ? 1 : 0]),
  );
}

/** Adds how the Redis of the queues is: whether it answers, how full it is, whether it would evict jobs. */
export function measureRedis(metrics: Metrics, { client, isUp }: Pick<Queues, "client" | "isUp">) {
  const memory = async () => {
    if (!isUp()) throw new Error("Redis is away");
    return new Map(
      (await client.info("memory")).split("\r\n").flatMap((line) => {
        const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
        return name && value !== undefined ? [[name, value] as const] : [];
      }),
    );
  };
  asked(metrics, "jobs_redis_up", "1: this process reaches the Redis of the queues", [], async () => [
    [{}, isUp() ? 1 : 0],
  ]);
  asked(
    metrics,
    "jobs_redis_memory_used_ratio",
    "Memory that Redis uses, of what it may: its maxmemory, or all of its machine",
    [],
    async () => {
      const info = await memory();
      const most = Number(info.get("maxmemory")) || Number(info.get("total_system_memory"));
      return most > 0 ? [[{}, Number(info.get("used_memory")) / most]] : [];
    },
  );
  asked(
    metrics,
    "jobs_redis_eviction_policy_ok",
    "1: Redis refuses writes when it is full; 0: it would throw jobs away",
    [],
    async () => [[{}, (await memory()).get("maxmemory_policy") === "noeviction" ? 1 : 0]],
  );
}

/** Connections to Postgres of one process. */
export interface PoolState {
  busy: number;
  idle: number;
  /** Callers that wait for one. */
  waiting: number;
}

/** Adds the connections to Postgres. */
export function measurePool(metrics: Metrics, read: () => PoolState) {
  asked(
    metrics,
    "db_pool_connections",
    "Connections to Postgres by state; waiting: callers that wait for one",
    ["state"],
    async () => Object.entries(read()).map(([state, count]) => [{ state }, count]),
  );
}
