import { setTimeout as sleep } from "node:timers/promises";
import { connectDatabase } from "../../src/db/data-source.ts";
import { createQueues } from "../../src/engine/bull-queues.ts";
import { createOutbox, enqueueAll, readOutboxStats } from "../../src/engine/outbox.ts";
import { startReconciler } from "../../src/engine/reconciler.ts";
import { withReconcilerLock } from "../../src/engine/reconciler-store.ts";
import { startRelay } from "../../src/engine/relay.ts";
import { createAutoscaler, type Explanation } from "../../src/engine/scaling/autoscaler.ts";
import { countThroughput, defaultPace, type Pace } from "../../src/engine/scaling/throughput.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { queueNames } from "../../src/jobs/queues.ts";
import { scalingRules } from "../../src/jobs/scaling.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { startOpsServer } from "../../src/platform/ops-server.ts";
import { producerConnection } from "../../src/platform/redis.ts";
import { createKeda, scaledObject } from "./keda.ts";
import { keepPods } from "./pods.ts";
import type { Servers } from "./servers.ts";
import { jobs, nap, queue } from "./work.ts";

/** What tells KEDA how many pods there should be, given what the endpoint said. */
export type Policy = (explanation: Explanation) => number;

export interface ClusterOptions {
  name: string;
  servers: Servers;
  /** Seconds of the cluster that pass in one of ours. */
  speed: number;
  policy?: Policy;
  /** After SIGTERM, in seconds of the cluster: to finish, and until SIGKILL. */
  drainSeconds?: number;
  graceSeconds?: number;
  goalSeconds?: number;
  /** From the request for a pod until its process connects. */
  startSeconds?: number;
  /** Processes that are loaded beforehand; without, a pod's start takes what it takes. */
  warmPods?: number;
}

/** One moment of a run; times in seconds of the cluster. */
export interface Moment {
  seconds: number;
  ready: number;
  active: number;
  desired: number | null;
  replicas: number;
  podsReady: number;
}

export interface NapRow {
  n: number;
  waitSeconds: number | null;
  doneSeconds: number | null;
  state: string;
  failures: number;
  crashes: number;
  completions: number;
  interruptions: number;
}

export const maxWorkers = scaledObject.maxReplicaCount;
export const concurrency = 2;
export const lockMs = 6_000;

export type Cluster = Awaited<ReturnType<typeof openCluster>>;

/**
 * What a cluster has for one queue, in this process: an API that promises jobs and answers KEDA from two replicas, the
 * model of KEDA and the HPA, and real worker processes as pods. Ends with `close`.
 */
export async function openCluster({ name, servers, speed, policy, ...options }: ClusterOptions) {
  const { drainSeconds = 20, graceSeconds = 30, goalSeconds = 60, startSeconds = 3, warmPods = maxWorkers } = options;
  const databaseUrl = await servers.createDatabase(name);
  const log = createLogger("silent", "autoscale");
  const db = await connectDatabase(databaseUrl, 6);
  await db.query("CREATE TABLE nap (n integer NOT NULL)");
  const stop = new AbortController();
  const { signal } = stop;
  const producers = [1, 2].map(() => producerConnection(servers.redisUrl, log));
  const prefix = `sim-${name}`;
  const [queues, others] = producers.map((connection) => createQueues(queueNames, connection, prefix, log));
  if (!queues || !others) throw new Error("two replicas are needed");
  while (!queues.isUp() || !others.isUp()) await sleep(10);

  const pace: Pace = {
    bucketMs: defaultPace.bucketMs / speed,
    windowMs: defaultPace.windowMs / speed,
    halfLifeMs: defaultPace.halfLifeMs / speed,
    silentMs: defaultPace.silentMs / speed,
    flushMs: Math.max(400, defaultPace.flushMs / speed),
  };
  const throughput = countThroughput(queues, undefined, pace);
  const onPublished = (_queue: string, moved: readonly unknown[]) => throughput.arrived(queue, moved.length);
  const relay = startRelay({ outbox: createOutbox(db, [queue]), queues, log, signal, jobs, onPublished });
  const reconciler = startReconciler({ withLock: withReconcilerLock(db), queues, wake: relay.wake, log, signal });
  const transact = createTransact(db, relay.offer);
  // The rule in seconds of ours, since that is what is measured.
  const rule = {
    goalSeconds: goalSeconds / speed,
    priorSeconds: 2 / speed,
    startSeconds: 5 / speed,
    graceSeconds: drainSeconds / speed,
    minWorkers: 0,
    maxWorkers,
    concurrency,
  };
  const replicas = await Promise.all(
    [queues, others].map((own) => {
      const readStats = () => readOutboxStats(db.manager);
      const { explain } = createAutoscaler({ queues: own, rules: scalingRules({ [queue]: rule }), readStats, pace });
      const nothing = { liveness: () => ({}), readiness: { checks: async () => ({}), required: [] } };
      return startOpsServer({
        host: "127.0.0.1",
        port: 0,
        metrics: createMetrics(),
        log,
        queues: [queue],
        explain,
        ...nothing,
      });
    }),
  );
  /** Asks one replica as KEDA does; throws on anything but 200. */
  const ask = async (replica = 0): Promise<Explanation> => {
    const res = await fetch(`http://127.0.0.1:${replicas[replica]?.port}/desired-workers/${queue}`);
    if (!res.ok) throw new Error(`the endpoint answered ${res.status}`);
    return (await res.json()) as Explanation;
  };

  const settings = { databaseUrl, redisUrl: servers.redisUrl, prefix, concurrency, lockMs, pace };
  const pods = keepPods({
    warm: servers.warm,
    message: (pod) => ({ ...settings, name: `${name}-${pod}`, drainMs: (drainSeconds / speed) * 1_000 }),
    startMs: (startSeconds / speed) * 1_000,
    graceMs: (graceSeconds / speed) * 1_000,
  });

  await servers.warm.add(warmPods);
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1_000) * speed;
  const moments: Moment[] = [];
  const look = async () => {
    const said = await ask(1).catch(() => undefined);
    moments.push({
      seconds: seconds(),
      ready: said?.inputs.ready ?? moments.at(-1)?.ready ?? 0,
      active: said?.inputs.active ?? moments.at(-1)?.active ?? 0,
      desired: said?.desiredWorkers ?? null,
      replicas: pods.replicas(),
      podsReady: pods.ready(),
    });
  };
  const keda = createKeda(scaledObject);
  const control = async () => {
    while (!signal.aborted) {
      // Whichever replica the Service happens to choose.
      const metric = async () => {
        const said = await ask(Math.random() < 0.5 ? 0 : 1);
        return policy ? policy(said) : said.desiredWorkers;
      };
      const before = pods.replicas();
      const after = await keda.tick(before, seconds(), metric);
      if (after !== before) pods.scale(after);
      await sleep(500 / speed);
    }
  };
  const watch = async () => {
    while (!signal.aborted) {
      await look();
      await sleep(2_000 / speed);
    }
  };
  const loops = [control(), watch()];
  let promised = 0;

  return {
    speed,
    ask,
    pods,
    queues,
    moments,
    seconds,
    /** Promises naps of so many seconds of the cluster, with the priorities in turn. */
    async promise(count: number, napSeconds: number, priorities: readonly number[] = [10]) {
      const payloads = Array.from({ length: count }, () => ({ n: promised++, ms: (napSeconds / speed) * 1_000 }));
      for (const [index, priority] of priorities.entries()) {
        const mine = payloads.filter((_, at) => at % priorities.length === index);
        const origin = { actorId: null, traceId: null };
        if (mine.length > 0) await transact(origin, (tx) => enqueueAll(tx, nap, mine, { priority }));
      }
    },
    /** Resolves when all that was promised is over; throws after so many seconds of the cluster. */
    async drained(patience: number) {
      for (const end = seconds() + patience; ; await sleep(100)) {
        const [row] = await db.query("SELECT count(*)::int AS left FROM job WHERE finished_at IS NULL");
        if (row.left === 0) return;
        if (seconds() > end) {
          const last = JSON.stringify(moments.at(-1));
          throw new Error(`${name}: ${row.left} jobs are not over after ${patience} s; at the end ${last}`);
        }
      }
    },
    async wait(clusterSeconds: number) {
      await sleep((clusterSeconds / speed) * 1_000);
    },
    /** Every job as the ledger has it; times in seconds of the cluster. */
    async naps(): Promise<NapRow[]> {
      return db.query(
        `SELECT (payload->>'n')::int AS n, state, failures, crashes,
           extract(epoch FROM started_at - run_at)::float8 * $1 AS "waitSeconds",
           extract(epoch FROM finished_at - (SELECT min(created_at) FROM job))::float8 * $1 AS "doneSeconds",
           (SELECT count(*)::int FROM nap WHERE nap.n = (payload->>'n')::int) AS completions,
           jsonb_array_length(attempts) AS interruptions
         FROM job ORDER BY n`,
        [speed],
      );
    },
    async close() {
      stop.abort();
      await Promise.all(loops);
      await pods.close();
      await Promise.all([relay.done, reconciler]);
      await throughput.close();
      for (const replica of replicas) replica.close();
      await Promise.all([queues.close(), others.close()]);
      for (const producer of producers) producer.disconnect();
      await db.destroy();
    },
  };
}
