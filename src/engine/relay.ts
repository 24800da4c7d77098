import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../platform/describe-error.ts";
import type { Log } from "../platform/logger.ts";
import { isRedisTrouble } from "../platform/redis-errors.ts";
import type { Queues } from "./bull-queues.ts";
import { type JobDefinitions, priorities } from "./define-job.ts";
import {
  type Dispatch,
  type Outbox,
  type PromisedJob,
  type Publish,
  queuedJobId,
  type Unpublishable,
} from "./dispatch.ts";

const batchSize = 500;
/** Batches of a backlog before groups get their share again. */
const batchesInARow = 10;
/** Interval of sweeps for jobs of a process that died, or that were enqueued while Redis was unavailable. */
const pollMs = 150;
/** The process that enqueued a job publishes it itself; the sweep leaves new jobs alone for this long. */
const headStartMs = 100;
/** The same while this process has much to publish. */
const busyHeadStartMs = 2_000;
/** Under load, a short pause makes batches of 100 and more instead of many small ones. */
const minIntervalMs = 10;
/** Maximum number of jobs in memory; more wait only on the outbox. */
const maxLane = 5_000;
/** The same pause for jobs that need no sweep; with little load they are published at once. */
const laneSpacingMs = 10;
/** Delay between publishing and removal: after the claim, and many rows together. Well below the head start. */
const removeAfterMs = 25;
const connectMs = 2_000;
const maxBackoffMs = 1_000;

export interface RelayOptions {
  outbox: Outbox;
  queues: Queues;
  log: Log;
  signal: AbortSignal;
  /** Definitions of all jobs. */
  jobs: JobDefinitions;
  /** Called with jobs of one queue after they were published. */
  onPublished?: (queue: string, jobs: readonly Dispatch[]) => void;
}

export interface Relay {
  /** Publishes jobs that a transaction has just enqueued, without reading them from Postgres first. */
  offer(jobs: readonly PromisedJob[]): void;
  /** Reads the outbox now instead of at the next poll. */
  wake(): void;
  /** Resolves when everything has ended after `signal`. */
  done: Promise<void>;
}

/**
 * Publishes enqueued jobs from Postgres to Redis until the signal: those of this process at once, all others by
 * sweeping the outbox. A crash at any point is safe; any number of processes may run it.
 */
export function startRelay(options: RelayOptions): Relay {
  const publish = createPublish(options);
  const lane = createLane(options, publish);
  const sweep = startSweep(options, publish, () => (lane.isIdle() ? headStartMs : busyHeadStartMs));
  return {
    offer(jobs) {
      lane.push(jobs.filter(({ groupKey, isDue }) => groupKey === null && isDue));
      if (jobs.some(({ groupKey }) => groupKey !== null)) sweep.wake();
    },
    wake: sweep.wake,
    done: sweep.done.then(lane.drain),
  };
}

/** The fast path of a process's own jobs: publishes first, removes from the outbox later. */
function createLane({ outbox, queues, log, signal }: RelayOptions, publish: Publish) {
  let waiting: Dispatch[] = [];
  let published: Dispatch[] = [];

  const removing = repeatedly(async () => {
    await sleep(removeAfterMs);
    const batch = published;
    published = [];
    // A row left on the outbox is published once more, under the same id.
    await outbox
      .remove(batch)
      .catch((error) => log.warn({ err: error }, "relay could not remove published jobs from the outbox"));
    return published.length > 0;
  });
  const moving = repeatedly(async () => {
    const batch = waiting.slice(0, batchSize);
    waiting = waiting.slice(batchSize);
    try {
      const refused = new Set((await publish(batch)).map(({ job }) => job.jobId));
      published.push(...batch.filter(({ jobId }) => !refused.has(jobId)));
      if (published.length > 0) removing.start();
    } catch {
      // The sweep finds the jobs, and logs its own failure.
      waiting = [];
    }
    if (waiting.length > 0 && waiting.length < batchSize) await sleep(laneSpacingMs);
    return waiting.length > 0;
  });

  return {
    push(jobs: readonly Dispatch[]) {
      if (jobs.length === 0 || !queues.isUp() || signal.aborted || waiting.length > maxLane) return;
      waiting.push(...jobs);
      moving.start();
    },
    isIdle: () => waiting.length === 0,
    async drain() {
      await moving.done();
      await removing.done();
    },
  };
}

/** Repeats `work` while it returns that there is more to do, never two at once. */
function repeatedly(work: () => Promise<boolean>) {
  let running: Promise<void> | undefined;
  let isWanted = false;
  const run = async () => {
    while (isWanted) {
      isWanted = false;
      isWanted = (await work()) || isWanted;
    }
    running = undefined;
  };
  return {
    start() {
      isWanted = true;
      running ??= run();
    },
    done: async () => running,
  };
}

function startSweep(
  { outbox, queues, log, signal }: RelayOptions,
  publish: Publish,
  olderThanMs: () => number,
): Pick<Relay, "wake" | "done"> {
  let wake = () => {};
  let woken = false;
  const pause = (ms: number) => {
    if (woken) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  let backoffMs = 0;
  const look = async () => {
    woken = false;
    if (!queues.isUp()) throw new Error("Redis is unavailable");
    const shared = await outbox.takeFairShare(publish);
    const published = await outbox.take(batchSize, olderThanMs(), publish);
    if (backoffMs > 0) log.info("relay works again");
    backoffMs = 0;
    // One batch is read from Postgres while the other is written to Redis.
    if (published === batchSize) await Promise.all([takeMany(), takeMany()]);
    if (published === batchSize || shared >= batchSize) return;
    if (published + shared > 0) await sleep(minIntervalMs);
    await pause(pollMs);
  };
  const takeMany = async () => {
    for (let n = 0; n < batchesInARow; n++) {
      if ((await outbox.take(batchSize, olderThanMs(), publish)) < batchSize) return;
    }
  };
  const recover = async (error: unknown) => {
    if (backoffMs === 0) log.warn({ err: error }, "relay failed; enqueued jobs wait in Postgres");
    backoffMs = Math.min(maxBackoffMs, 2 * backoffMs || 200);
    await sleep(backoffMs, undefined, { signal }).catch(() => undefined);
  };
  const loop = async () => {
    // A process that has just started may not have reached Redis yet; that is not an outage.
    for (const end = Date.now() + connectMs; !queues.isUp() && Date.now() < end; ) await sleep(20);
    while (!signal.aborted) await look().catch(recover);
  };

  signal.addEventListener("abort", () => wake());
  return {
    wake() {
      woken = true;
      wake();
    },
    done: loop(),
  };
}

function createPublish({ queues, jobs, onPublished }: RelayOptions): Publish {
  return async (batch) => {
    const publishTo = async (queue: (typeof queues.byName)[string]) => {
      const group = batch.filter((job) => queues.find(job.queue) === queue);
      if (group.length === 0) return [];
      const add = (some: Dispatch[]) => queue.addBulk(some.map((job) => toQueuedJob(job, jobs)));
      let refused: Unpublishable[] = [];
      try {
        await add(group);
      } catch (error) {
        if (isRedisTrouble(error)) throw error;
        refused = await oneByOne(group, add);
      }
      onPublished?.(queue.name, group);
      return refused;
    };
    // In a cluster the server of one queue may be down: the jobs of others go on.
    const results = await Promise.allSettled(Object.values(queues.byName).map(publishTo));
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  };
}

/** One of the jobs is at fault; the others must not wait for it. */
async function oneByOne(batch: Dispatch[], add: (some: Dispatch[]) => Promise<unknown>) {
  const refused: Unpublishable[] = [];
  for (const job of batch) {
    try {
      await add([job]);
    } catch (error) {
      if (isRedisTrouble(error)) throw error;
      refused.push({ job, reason: describeError(error).message });
    }
  }
  return refused;
}

function toQueuedJob(job: Dispatch, jobs: JobDefinitions) {
  const backoffMs = jobs[job.kind]?.retry.backoffMs ?? 1_000;
  return {
    name: job.kind,
    data: { id: job.jobId },
    opts: {
      jobId: queuedJobId(job),
      attempts: job.maxFailures,
      backoff: { type: "exponential", delay: backoffMs, jitter: 0.5 },
      // Jobs without a priority are taken first, before all that have one.
      ...(job.priority > priorities.interactive && { priority: job.priority }),
      removeOnComplete: { age: 24 * 3_600, count: 1_000 },
      removeOnFail: { age: 14 * 24 * 3_600, count: 5_000 },
    },
  };
}
