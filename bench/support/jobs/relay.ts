import { Redis } from "ioredis";
import { connectDatabase } from "../../../src/db/data-source.ts";
import { createQueues } from "../../../src/engine/bull-queues.ts";
import { createOutbox, enqueueAll } from "../../../src/engine/outbox.ts";
import { startRelay } from "../../../src/engine/relay.ts";
import { createTransact } from "../../../src/engine/transaction.ts";
import { queueNames } from "../../../src/jobs/queues.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { producerConnection } from "../../../src/platform/redis.ts";
import { now, payloadOf } from "./contestant.ts";
import { noop } from "./engine.ts";

// Moves jobs from a full outbox to Redis, and adds the same jobs with `addBulk` alone, in turn:
// `node relay.js <jobs> <rounds>`.

const [jobs = 0, rounds = 0] = process.argv.slice(2).map(Number);
const batch = 500;
// Apart from what other processes relay and run.
const redisUrl = `${process.env.REDIS_URL}/1`;
const log = createLogger("warn", "bench");
const db = await connectDatabase(String(process.env.DATABASE_URL), 6);
const admin = new Redis(redisUrl);
const queues = createQueues(queueNames, producerConnection(redisUrl, log), "bench", log);
const queue = queues.byName[noop.queue];
await queue.waitUntilReady();

let next = 0;
const results: { relay: number; addBulk: number; relayCpu: number; addBulkCpu: number }[] = [];
for (let round = 0; round < rounds; round++) {
  const ids = await fill();
  const addBulk = await timed(() => addAll(ids));
  await admin.flushdb();
  const relay = await timed(relayAll);
  await checkMoved(ids.length);
  await admin.flushdb();
  await db.query("DELETE FROM job WHERE kind = 'noop' AND finished_at IS NULL");
  await db.query("VACUUM ANALYZE job_outbox");
  results.push({ relay: relay.ms, addBulk: addBulk.ms, relayCpu: relay.cpu, addBulkCpu: addBulk.cpu });
}
process.send?.({ results });
process.exit(0);

async function fill() {
  const transact = createTransact(db, () => undefined);
  const ids: string[] = [];
  for (let from = 0; from < jobs; from += batch) {
    const payloads = Array.from({ length: Math.min(batch, jobs - from) }, () => payloadOf(next++));
    ids.push(...(await transact({ actorId: null, traceId: null }, (tx) => enqueueAll(tx, noop, payloads))));
  }
  await db.query("ANALYZE job_outbox");
  // The sweep leaves alone what is younger.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return ids;
}

async function timed(work: () => Promise<unknown>) {
  const [began, cpu] = [now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: now() - began, cpu: (user + system) / jobs };
}

/** What the relay gives BullMQ, without Postgres. */
async function addAll(ids: string[]) {
  for (let from = 0; from < ids.length; from += batch) {
    await queue.addBulk(
      ids.slice(from, from + batch).map((id) => ({
        name: noop.name,
        data: { id },
        opts: {
          jobId: `${id}-1`,
          attempts: noop.retry.attempts,
          backoff: { type: "exponential", delay: noop.retry.backoffMs, jitter: 0.5 },
          removeOnComplete: { age: 24 * 3_600, count: 1_000 },
          removeOnFail: { age: 14 * 24 * 3_600, count: 5_000 },
        },
      })),
    );
  }
}

/** From a relay's start to the last row's end. */
async function relayAll() {
  const stopping = new AbortController();
  const outbox = createOutbox(db, queueNames);
  let moved = 0;
  let finish = () => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const counting = {
    ...outbox,
    async take(...args: Parameters<typeof outbox.take>) {
      const taken = await outbox.take(...args);
      moved += taken;
      if (moved >= jobs) finish();
      return taken;
    },
  };
  const relay = startRelay({ outbox: counting, queues, log, signal: stopping.signal, jobs: { noop } });
  await all;
  stopping.abort();
  await relay.done;
}

async function checkMoved(wanted: number) {
  const waiting = await queue.count();
  const [{ left }] = await db.query("SELECT count(*)::int AS left FROM job_outbox");
  if (waiting !== wanted || left !== 0) throw new Error(`Of ${wanted} jobs ${waiting} are in Redis, ${left} are not`);
}
