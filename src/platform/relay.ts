import { setTimeout as sleep } from "node:timers/promises";
import { priorities } from "../jobs/define-job.ts";
import { type Dispatch, queuedJobId } from "../jobs/dispatch.ts";
import { isJobName, jobs } from "../jobs/index.ts";
import type { Log } from "./logger.ts";
import type { Queues } from "./queues.ts";

const batchSize = 500;
/** Safety net for what was promised in a process that died before its nudge. */
const pollMs = 250;
/** While busy, a short pause makes batches of 100 and more instead of many small ones. */
const spacingMs = 10;
const connectMs = 2_000;
const longestBackoffMs = 1_000;

export interface RelayOptions {
  /** Takes due jobs off the outbox, in one transaction around `publish`. */
  take: (size: number, publish: (jobs: Dispatch[]) => Promise<void>) => Promise<number>;
  queues: Queues;
  log: Log;
  signal: AbortSignal;
}

export interface Relay {
  /** Says that a transaction has promised jobs: they are moved at once instead of at the next poll. */
  nudge(): void;
  /** Resolves when the loop has ended after `signal`. */
  done: Promise<void>;
}

/** Moves promised jobs from Postgres to Redis until told to stop. To crash anywhere is safe; any number may run. */
export function startRelay(options: RelayOptions): Relay {
  let wake = () => {};
  let nudged = false;
  const nudge = () => {
    nudged = true;
    wake();
  };

  const pause = (ms: number) => {
    if (nudged) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  let backoffMs = 0;
  const turn = async () => {
    nudged = false;
    if (!options.queues.isUp()) throw new Error("Redis is away");
    const moved = await options.take(batchSize, (batch) => publish(options.queues, batch));
    if (backoffMs > 0) options.log.info("relay works again");
    backoffMs = 0;
    if (moved > 0) await sleep(spacingMs);
    if (moved < batchSize) await pause(pollMs);
  };
  const recover = async (error: unknown) => {
    if (backoffMs === 0) options.log.warn({ err: error }, "relay failed; promised jobs wait in Postgres");
    backoffMs = Math.min(longestBackoffMs, 2 * backoffMs || 200);
    await sleep(backoffMs, undefined, { signal: options.signal }).catch(() => undefined);
  };
  const loop = async () => {
    // A process that has just started has not reached Redis yet; that is no outage.
    for (const end = Date.now() + connectMs; !options.queues.isUp() && Date.now() < end; ) await sleep(20);
    while (!options.signal.aborted) await turn().catch(recover);
  };

  options.signal.addEventListener("abort", () => wake());
  return { nudge, done: loop() };
}

async function publish(queues: Queues, batch: Dispatch[]) {
  for (const [name, queue] of Object.entries(queues.byName)) {
    const group = batch.filter((job) => job.queue === name);
    if (group.length > 0) await queue.addBulk(group.map(toQueuedJob));
  }
}

function toQueuedJob(job: Dispatch) {
  const backoffMs = isJobName(job.kind) ? jobs[job.kind].retry.backoffMs : 1_000;
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
