import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatch, queuedJobId } from "../jobs/dispatch.ts";
import type { Log } from "./logger.ts";
import type { Queues } from "./queues.ts";
import { isRedisTrouble } from "./redis.ts";

const turnMs = 1_000;
/** Long enough for a job to be between two states without anything being wrong. */
const quietMs = 15_000;
/** The same when Redis has lost its data, and everything is missing. */
const quietAfterLossMs = 1_000;
const pageSize = 500;
/** Pages looked at in one turn after a loss; otherwise it is one. */
const pagesAfterLoss = 8;
const firstId = "00000000-0000-0000-0000-000000000000";

/** What the reconciler does in Postgres, in one transaction that no other process has open. */
export interface Books {
  findSuspects(cursor: string, quietMs: number, size: number): Promise<Dispatch[]>;
  dispatchAgain(jobs: readonly Dispatch[]): Promise<unknown[]>;
  cancelAbandoned(): Promise<void>;
  settleParents(): Promise<void>;
}

export interface ReconcilerOptions {
  /** Runs `work` unless another process is at it. */
  asOnlyOne: (work: (books: Books) => Promise<void>) => Promise<unknown>;
  queues: Queues;
  /** Wakes the relay after jobs were promised anew. */
  wake: () => void;
  /** What else is to be set right now and then. */
  also?: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}

/**
 * Compares the ledger with Redis until told to stop, and promises anew what Redis has lost; any number of processes may
 * do so, one at a time works. Each job is looked at in its turn; when Redis has lost its data, all are at once.
 */
export async function startReconciler({ asOnlyOne, queues, wake, also, log, signal }: ReconcilerOptions) {
  const comparePage = async (books: Books, { cursor, isAfterLoss }: Place): Promise<Place> => {
    const suspects = await books.findSuspects(cursor, isAfterLoss ? quietAfterLossMs : quietMs, pageSize);
    const missing = await missingIn(queues, suspects);
    if (missing.length > 0) {
      const again = await books.dispatchAgain(missing);
      log.warn({ jobs: again.length }, "jobs were missing in Redis and are promised anew");
    }
    if (suspects.length < pageSize) return { cursor: firstId, isAfterLoss: false };
    return { cursor: String(suspects.at(-1)?.jobId), isAfterLoss };
  };
  const compare = async (books: Books): Promise<Place> => {
    let place = await readPlace(queues);
    place = await comparePage(books, place);
    for (let page = 1; place.isAfterLoss && page < pagesAfterLoss; page++) place = await comparePage(books, place);
    return place;
  };
  const turn = async () => {
    let place: Place | undefined;
    await asOnlyOne(async (books) => {
      await books.settleParents();
      await books.cancelAbandoned();
      if (queues.isUp() && (await isTurn(queues))) place = await compare(books);
    });
    if (!place) return;
    // Only now that the promises are committed.
    await writePlace(queues, place);
    wake();
    await also?.();
  };

  let isFailing = false;
  while (!signal.aborted) {
    // Not all processes at the same moment.
    await sleep(turnMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await turn().then(
      () => {
        isFailing = false;
      },
      (error: unknown) => {
        if (!isFailing) log.warn({ err: error }, "reconciler failed; it tries again");
        isFailing = true;
      },
    );
  }
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
async function isTurn({ client, prefix }: Queues) {
  return (await client.set(`${prefix}:reconciled`, "1", "PX", Math.round(turnMs * 0.8), "NX")) === "OK";
}

/** Those that no queue knows, or that it calls over. */
async function missingIn(queues: Queues, suspects: Dispatch[]): Promise<Dispatch[]> {
  const states = await Promise.all(
    suspects.map((job) => {
      const queue = queues.byName[job.queue as keyof Queues["byName"]];
      // Newer code has put it into a queue that is not known here.
      return queue ? stateIn(queue, queuedJobId(job)) : "waiting";
    }),
  );
  return suspects.filter((_job, index) => ["unknown", "failed", "completed"].includes(String(states[index])));
}

function stateIn(queue: Queues["byName"][keyof Queues["byName"]], id: string): Promise<string> {
  return queue.getJobState(id).catch((error: unknown) => {
    if (isRedisTrouble(error)) throw error;
    return "unknown";
  });
}
