import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../platform/describe-error.ts";
import type { Log } from "../platform/logger.ts";
import { isRedisTrouble } from "../platform/redis.ts";
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
/** Of a backlog, before groups have their share again. */
const batchesInARow = 10;
/** For what was promised in a process that died, or while Redis was unavailable. */
const pollMs = 150;
/** What has just been promised is on its way already; the sweep leaves it alone for so long. */
const headStartMs = 100;
/** The same while this process has much to move. */
const busyHeadStartMs = 2_000;
/** While busy, a short pause makes batches of 100 and more instead of many small ones. */
const spacingMs = 10;
/** More than this waits on the outbox alone, instead of in memory as well. */
const maxLane = 5_000;
/** The same for what is moved without a sweep; when there is little to move it goes at once. */
const laneSpacingMs = 10;
/** What is published is removed so much later: out of the way of its claim, and many together. Well below the head start. */
const removeAfterMs = 25;
const connectMs = 2_000;
const maxBackoffMs = 1_000;

export interface RelayOptions {
  outbox: Outbox;
  queues: Queues;
  log: Log;
  signal: AbortSignal;
  /** Definitions of the jobs that may come. */
  jobs: JobDefinitions;
  /** Told of jobs of one queue that were put into it. */
  onPublished?: (queue: string, jobs: readonly Dispatch[]) => void;
}

export interface Relay {
  /** Moves jobs that a transaction has just promised, without asking Postgres for them first. */
  offer(jobs: readonly PromisedJob[]): void;
  /** Looks at the outbox now instead of at the next poll. */
  wake(): void;
  /** Resolves when everything has ended after `signal`. */
  done: Promise<void>;
}

/**
 * Moves promised jobs from Postgres to Redis until told to stop: what this process promises at once, everything else by
 * sweeping the outbox. To crash anywhere is safe; any number may run.
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

/** The fast way of a process's own promises: publish first, take off the outbox behind that. */
function createLane({ outbox, queues, log, signal }: RelayOptions, publish: Publish) {
  let waiting: Dispatch[] = [];
  let published: Dispatch[] = [];

  const removing = repeatedly(async () => {
    await sleep(removeAfterMs);
    const batch = published;
    published = [];
    // Left on the outbox it is published once more, under the same id.
    await outbox
      .remove(batch)
      .catch((error) => log.warn({ err: error }, "relay could not take what it published off the outbox"));
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
      // The sweep finds it, and says so when it fails as well.
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

/** Runs `work` again and again while it says that there is more to do, never twice at once. */
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
    const moved = await outbox.take(batchSize, olderThanMs(), publish);
    if (backoffMs > 0) log.info("relay works again");
    backoffMs = 0;
    // One batch is read from Postgres while the other is written to Redis.
    if (moved === batchSize) await Promise.all([takeMany(), takeMany()]);
    if (moved === batchSize || shared >= batchSize) return;
    if (moved + shared > 0) await sleep(spacingMs);
    await pause(pollMs);
  };
  const takeMany = async () => {
    for (let n = 0; n < batchesInARow; n++) {
      if ((await outbox.take(batchSize, olderThanMs(), publish)) < batchSize) return;
    }
  };
  const recover = async (error: unknown) => {
    if (backoffMs === 0) log.warn({ err: error }, "relay failed; promised jobs wait in Postgres");
    backoffMs = Math.min(maxBackoffMs, 2 * backoffMs || 200);
    await sleep(backoffMs, undefined, { signal }).catch(() => undefined);
  };
  const loop = async () => {
    // A process that has just started has not reached Redis yet; that is no outage.
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
    const refused: Unpublishable[] = [];
    for (const queue of Object.values(queues.byName)) {
      const group = batch.filter((job) => queues.find(job.queue) === queue);
      if (group.length === 0) continue;
      const add = (some: Dispatch[]) => queue.addBulk(some.map((job) => toQueuedJob(job, jobs)));
      try {
        await add(group);
      } catch (error) {
        if (isRedisTrouble(error)) throw error;
        refused.push(...(await oneByOne(group, add)));
      }
      onPublished?.(queue.name, group);
    }
    return refused;
  };
}

/** One of them is to blame; the others must not wait for it. */
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
