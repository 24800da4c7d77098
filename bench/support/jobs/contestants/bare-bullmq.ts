import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { type Contestant, concurrency, now, numbersFrom, payloadOf } from "../contestant.ts";

/** BullMQ alone: fast, and gone with Redis. */
export const contestant: Contestant = {
  async producer({ redisUrl }) {
    const queue = new Queue("bare", { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });
    await queue.waitUntilReady();
    const opts = { removeOnComplete: { count: 1_000 } };
    return {
      async one(n) {
        const began = now();
        await queue.add("noop", payloadOf(n), opts);
        return began;
      },
      page: (n) => queue.addBulk(numbersFrom(n).map((one) => ({ name: "noop", data: payloadOf(one), opts }))),
    };
  },
  async worker({ redisUrl }, started, finished) {
    const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
    const worker = new Worker("bare", async (job) => started(job.data.n), { connection, concurrency });
    worker.on("completed", finished);
    await worker.waitUntilReady();
  },
};
