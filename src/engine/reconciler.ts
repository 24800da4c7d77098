import type { Log } from "../platform/logger.ts";
import { poll } from "../platform/poll.ts";
import { isRedisTrouble } from "../platform/redis.ts";
import type { Queues } from "./bull-queues.ts";
import { type Dispatch, queuedJobId } from "./dispatch.ts";
import type { ReconcilerStore } from "./reconciler-store.ts";

const passMs = 1_000;
/** Long enough for a job to be between two states without anything being wrong. */
const quietMs = 15_000;
/** The same when Redis has lost its data, and everything is missing. */
const quietAfterLossMs = 1_000;
const pageSize = 500;
/** Pages looked at in one pass after a loss; otherwise it is one. */
const pagesAfterLoss = 8;
const firstId = "00000000-0000-0000-0000-000000000000";

export interface ReconcilerOptions {
  /** Runs `work` unless another process does so. */
  withLock: (work: (store: ReconcilerStore) => Promise<void>) => Promise<unknown>;
  queues: Queues;
  /** Wakes the relay after jobs were enqueued again. */
  wake: () => void;
  /** What else is to be set right now and then. */
  onEachPass?: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}

/**
 * Compares the ledger with Redis until told to stop, and enqueues again what Redis has lost; any number of processes may
 * do so, one at a time works. Each job is looked at in the order of ids; when Redis has lost its data, all are at once.
 */
export function startReconciler({ withLock, queues, wake, onEachPass, log, signal }: ReconcilerOptions) {
  const comparePage = async (store: ReconcilerStore, { cursor, isAfterLoss }: Place): Promise<Place> => {
    const suspects = await store.findSuspects(cursor, isAfterLoss ? quietAfterLossMs : quietMs, pageSize);
    const missing = await missingIn(queues, suspects);
    if (missing.length > 0) {
      const again = await store.dispatchAgain(missing);
      log.warn({ jobs: again.length }, "jobs were missing in Redis and are enqueued again");
    }
    if (suspects.length < pageSize) return { cursor: firstId, isAfterLoss: false };
    return { cursor: String(suspects.at(-1)?.jobId), isAfterLoss };
  };
  const compare = async (store: ReconcilerStore): Promise<Place> => {
    let place = await readPlace(queues);
    place = await comparePage(store, place);
    for (let page = 1; place.isAfterLoss && page < pagesAfterLoss; page++) place = await comparePage(store, place);
    return place;
  };
  const look = async () => {
    let place: Place | undefined;
    await withLock(async (store) => {
      await store.settleParents();
      await store.cancelAbandoned();
      if (queues.isUp() && (await isDue(queues))) place = await compare(store);
    });
    if (!place) return false;
    // Only now that the promises are committed.
    await writePlace(queues, place);
    wake();
    await onEachPass?.();
    return false;
  };

  return poll({
    look,
    everyMs: passMs,
    failure: "reconciler failed; it tries again",
    log,
    signal,
  });
}

/** How far the comparison is, for whichever process goes on with it. */
interface Place {
  cursor: string;
  /** Redis has lost its data, and not all of the ledger was looked at since. */
  isAfterLoss: boolean;
}

/** The place is kept in Redis itself: when it is gone, so is all the rest. */
async function readPlace({ client, prefix }: Queues): Promise<Place> {
  const [mode, cursor] = ((await client.get(`${prefix}:reconciler`)) ?? "").split(" ");
  return { cursor: cursor || firstId, isAfterLoss: mode !== "calm" };
}

async function writePlace({ client, prefix }: Queues, { cursor, isAfterLoss }: Place) {
  await client.set(`${prefix}:reconciler`, `${isAfterLoss ? "lost" : "calm"} ${cursor}`);
}

/** True once in a while for one of all processes. */
async function isDue({ client, prefix }: Queues) {
  return (await client.set(`${prefix}:reconciled`, "1", "PX", Math.round(passMs * 0.8), "NX")) === "OK";
}

/** Those that no queue knows, or that it calls over. */
async function missingIn(queues: Queues, suspects: Dispatch[]): Promise<Dispatch[]> {
  const states = await Promise.all(
    suspects.map((job) => {
      const queue = queues.find(job.queue);
      // Newer code has put it into a queue that is not known here.
      return queue ? stateIn(queue, queuedJobId(job)) : "waiting";
    }),
  );
  return suspects.filter((_job, index) => ["unknown", "failed", "completed"].includes(String(states[index])));
}

function stateIn(queue: NonNullable<Queues["byName"][string]>, id: string): Promise<string> {
  return queue.getJobState(id).catch((error: unknown) => {
    if (isRedisTrouble(error)) throw error;
    return "unknown";
  });
}
