import { type Job, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Registry } from "prom-client";
import { v7 as uuidv7 } from "uuid";
import type { Claims } from "../../../src/engine/claims.ts";
import type { QueuedData } from "../../../src/engine/dispatch.ts";
import type { Claim } from "../../../src/engine/ledger.ts";
import { createJobMetrics } from "../../../src/engine/metrics.ts";
import { type Consumer, runJob } from "../../../src/engine/run-job.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { concurrency, payloadOf } from "./contestant.ts";
import { kinds, noop } from "./engine.ts";

// CPU of a worker for each job, with our runtime but without Postgres, and of BullMQ alone, in turn:
// `node runtime.js <jobs> <rounds>`.

const [jobs = 0, rounds = 0] = process.argv.slice(2).map(Number);
const redisUrl = `${process.env.REDIS_URL}/3`;
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
const opts = { removeOnComplete: { age: 24 * 3_600, count: 1_000 } };

/** Answers as the ledger would, at once. */
const claims: Claims = {
  claim: async (id) => ({ outcome: "claimed", claim: claimOf(id) }),
  finish: async () => "succeeded",
  keep: () => ({
    signal: new AbortController().signal,
    progress: () => undefined,
    unwritten: () => undefined,
    release: () => undefined,
  }),
  close: async () => undefined,
};
const claimOf = (id: string): Claim => ({
  id,
  epoch: 1,
  claimedBy: "bench",
  kind: noop.name,
  payload: payloadOf(1),
  payloadVersion: noop.version,
  failures: 0,
  maxFailures: 5,
  crashes: 0,
  maxCrashes: 12,
  groupKey: null,
  actorId: null,
  traceId: null,
  parentId: null,
});
const consumer: Consumer<object> = {
  queue: noop.queue,
  lockMs: 30_000,
  db: undefined as never,
  log: createLogger("silent", "bench"),
  metrics: createJobMetrics(new Registry()),
  claims,
  cutOff: new AbortController().signal,
  context: {},
  relay: { offer: () => undefined, wake: () => undefined },
  kinds: kinds(() => undefined),
};

const ours = (job: Job<QueuedData>, token = "") => runJob(consumer, job, token);
const results: { ours: number; bare: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  const result = { ours: await costOf("ours", ours), bare: await costOf("bare", async () => undefined) };
  // The first one warms up.
  if (round > 0) results.push(result);
}
process.send?.({ results });
process.exit(0);

async function costOf(name: string, work: (job: Job<QueuedData>, token?: string) => Promise<unknown>) {
  const queue = new Queue<QueuedData>(name, { connection });
  for (let from = 0; from < jobs; from += 500) {
    await queue.addBulk(Array.from({ length: 500 }, () => ({ name: "noop", data: { id: uuidv7() }, opts })));
  }
  const worker = new Worker<QueuedData>(name, work, {
    connection: new Redis(redisUrl, { maxRetriesPerRequest: null }),
    concurrency,
    autorun: false,
  });
  let finished = 0;
  const all = new Promise<void>((resolve) => {
    worker.on("completed", () => ++finished === jobs && resolve());
  });
  await worker.waitUntilReady();
  const before = process.cpuUsage();
  void worker.run();
  await all;
  const { user, system } = process.cpuUsage(before);
  await worker.close();
  await queue.close();
  return (user + system) / jobs;
}
