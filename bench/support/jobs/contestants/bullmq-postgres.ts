import { createPostgresBackend, Queue, Worker } from "bullmq";
import { type Contestant, concurrency, now, numbersFrom, payloadOf, producers } from "../contestant.ts";

const opts = { removeOnComplete: { count: 1_000 } };

/** BullMQ's own Postgres backend instead of Redis: each `add` is a transaction by itself. */
export const contestant: Contestant = {
  async prepare(servers) {
    await open(servers.databaseUrl, { migrate: true }).waitUntilReady();
  },
  async producer({ databaseUrl }) {
    const queue = open(databaseUrl);
    await queue.waitUntilReady();
    return {
      async one(n) {
        const began = now();
        await queue.add("noop", payloadOf(n), opts);
        return began;
      },
      page: (n) => queue.addBulk(numbersFrom(n).map((one) => ({ name: "noop", data: payloadOf(one), opts }))),
    };
  },
  async worker({ databaseUrl }, started, finished) {
    const connection = { connectionString: databaseUrl, max: producers };
    const worker = new Worker(
      "bare",
      async (job) => started(job.data.n),
      { connection, concurrency },
      createPostgresBackend,
    );
    worker.on("completed", finished);
    worker.on("error", () => undefined);
    await worker.waitUntilReady();
  },
};

function open(connectionString: string, options = {}) {
  return new Queue("bare", { connection: { connectionString, max: producers, ...options } }, createPostgresBackend);
}
