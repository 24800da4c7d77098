import type { Log } from "../platform/logger.ts";
import { poll } from "../platform/poll.ts";
import { isRedisTrouble } from "../platform/redis-errors.ts";
import { keysOf, type Queues } from "./bull-queues.ts";
import { type Dispatch, queuedJobId } from "./dispatch.ts";
import type { ReconcilerStore } from "./reconciler-store.ts";

const passMs = 1_000;
/** How long a sound job may be between two states. */
const quietMs = 15_000;
/** The same when Redis may have lost data, and much is missing. */
const quietAfterLossMs = 1_000;
const pageSize = 500;
/** Pages of one pass after a loss; otherwise it is one page. */
const pagesAfterLoss = 8;
const firstId = "00000000-0000-0000-0000-000000000000";

export interface ReconcilerOptions {
  /** Runs `work` unless another process does this. */
  withLock: (work: (store: ReconcilerStore) => Promise<void>) => Promise<unknown>;
  queues: Queues;
  /** Wakes the relay after jobs were enqueued again. */
  wake: () => void;
  /** Other corrections of each pass. */
  onEachPass?: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}

/**
 * Compares the ledger with Redis until the signal, and enqueues again what Redis has lost; any number of processes may
 * run it, one at a time works. It checks jobs in the order of ids; when Redis may have lost data, all at once.
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
  const compare = async (store: ReconcilerStore) => {
    const servers = await readServers(queues);
    const isLost = servers.some(({ known, present }) => known !== present);
    let place = isLost ? { cursor: firstId, isAfterLoss: true } : await readPlace(queues);
    place = await comparePage(store, place);
    for (let page = 1; place.isAfterLoss && page < pagesAfterLoss; page++) place = await comparePage(store, place);
    return { place, servers };
  };
  const look = async () => {
    let found: Awaited<ReturnType<typeof compare>> | undefined;
    await withLock(async (store) => {
      await store.settleParents();
      await store.cancelAbandoned();
      if (queues.isUp() && (await isDue(queues))) found = await compare(store);
    });
    if (!found) return false;
    // Only now that the enqueued jobs are committed.
    await writePlace(queues, found.place);
    await rememberServers(queues, found.servers);
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

/** The progress of the comparison, for the process that continues it. */
interface Place {
  cursor: string;
  /** Redis may have lost data, and part of the ledger is not compared yet. */
  isAfterLoss: boolean;
}

/** The server that holds the keys of a queue: the run that was seen last, as that queue's keys say, and the present. */
interface SeenServer {
  key: string;
  known: string;
  present: string;
}

const serverScript = `
  local info = redis.pcall('INFO', 'server')
  return { redis.call('GET', KEYS[1]) or '', type(info) == 'string' and string.match(info, 'run_id:(%w+)') or '-' }`;

/**
 * A server that was restarted or took over from its master may lack what was written last, and one that lost its disk
 * lacks everything. In a cluster this happens to some queues only.
 */
async function readServers(queues: Queues): Promise<SeenServer[]> {
  return Promise.all(
    Object.keys(queues.byName).map(async (queue) => {
      const key = `${keysOf(queues, queue)}:server`;
      const [known, present] = (await queues.client.eval(serverScript, 1, key)) as [string, string];
      return { key, known, present };
    }),
  );
}

async function rememberServers({ client }: Queues, servers: readonly SeenServer[]) {
  const changed = servers.filter(({ known, present }) => known !== present);
  await Promise.all(changed.map(({ key, present }) => client.set(key, present)));
}

async function readPlace({ client, prefix }: Queues): Promise<Place> {
  const [mode, cursor] = ((await client.get(`${prefix}:reconciler`)) ?? "").split(" ");
  return { cursor: cursor || firstId, isAfterLoss: mode !== "calm" };
}

async function writePlace({ client, prefix }: Queues, { cursor, isAfterLoss }: Place) {
  await client.set(`${prefix}:reconciler`, `${isAfterLoss ? "lost" : "calm"} ${cursor}`);
}

/** True for one of all processes, at intervals. */
async function isDue({ client, prefix }: Queues) {
  return (await client.set(`${prefix}:reconciled`, "1", "PX", Math.round(passMs * 0.8), "NX")) === "OK";
}

/** Jobs that no queue has, or that a queue calls finished. */
async function missingIn(queues: Queues, suspects: Dispatch[]): Promise<Dispatch[]> {
  const states = await Promise.all(
    suspects.map((job) => {
      const queue = queues.find(job.queue);
      // Newer code has put it into a queue that this process does not know.
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
