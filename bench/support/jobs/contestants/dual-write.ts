import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import { type Contestant, concurrency, payloadOf } from "../contestant.ts";
import { inTransaction } from "../in-transaction.ts";

/**
 * What is written by hand: a row in a transaction, `queue.add` after its commit, and a worker that reads the row before
 * it begins and marks it when it is done. Loses the job with the process between the two, runs it twice after a crash,
 * and shows what one row in Postgres costs at least.
 */
export const contestant: Contestant = {
  async prepare({ databaseUrl }) {
    const client = new pg.Client(databaseUrl);
    await client.connect();
    await client.query(
      "CREATE TABLE IF NOT EXISTS task (id bigint PRIMARY KEY, payload jsonb NOT NULL, done_at timestamptz)",
    );
    await client.end();
  },
  async producer({ databaseUrl, redisUrl }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 });
    const queue = new Queue("dual-write", { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) });
    await queue.waitUntilReady();
    return {
      async one(n) {
        const committed = await inTransaction(pool, (client) =>
          client.query({ name: "insert", text: "INSERT INTO task VALUES ($1, $2)", values: [n, payloadOf(n)] }),
        );
        await queue.add("noop", { n }, { removeOnComplete: { count: 1_000 } });
        return committed;
      },
    };
  },
  async worker({ databaseUrl, redisUrl }, started, finished) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
    const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
    const read = "SELECT payload FROM task WHERE id = $1 AND done_at IS NULL";
    const done = "UPDATE task SET done_at = now() WHERE id = $1";
    const run = async ({ data: { n } }: { data: { n: number } }) => {
      const { rows } = await pool.query({ name: "read", text: read, values: [n] });
      started(rows[0].payload.n);
      await pool.query({ name: "done", text: done, values: [n] });
    };
    const worker = new Worker("dual-write", run, { connection, concurrency });
    worker.on("completed", finished);
    await worker.waitUntilReady();
  },
};
