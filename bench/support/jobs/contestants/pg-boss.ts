import pg from "pg";
import { PgBoss } from "pg-boss";
import { type Contestant, concurrency, numbersFrom, payloadOf, producers } from "../contestant.ts";
import { inTransaction } from "../in-transaction.ts";

const queue = "noop";

async function open(connectionString: string) {
  const boss = new PgBoss({ connectionString, max: producers });
  boss.on("error", () => undefined);
  await boss.start();
  return boss;
}

/**
 * pg-boss, jobs added in a transaction of the caller's. Its default is one job every two seconds; here it takes as many
 * at once as the others run, and the next ones at once while there are so many.
 */
export const contestant: Contestant = {
  async prepare({ databaseUrl }) {
    const boss = await open(databaseUrl);
    await boss.createQueue(queue);
    await boss.stop();
  },
  async producer({ databaseUrl }) {
    const boss = await open(databaseUrl);
    const pool = new pg.Pool({ connectionString: databaseUrl, max: producers });
    const through = (client: pg.PoolClient) => ({
      db: { executeSql: (text: string, values?: unknown[]) => client.query(text, values) },
    });
    return {
      one: (n) => inTransaction(pool, (client) => boss.send(queue, payloadOf(n), through(client))),
      page: (n) => {
        const jobs = numbersFrom(n).map((one) => ({ data: payloadOf(one) }));
        return inTransaction(pool, (client) => boss.insert(queue, jobs, through(client)));
      },
    };
  },
  async worker({ databaseUrl }, started, finished) {
    const boss = await open(databaseUrl);
    const options = { batchSize: concurrency, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
    await boss.work<{ n: number }>(queue, options, async (jobs) => {
      for (const job of jobs) started(job.data.n);
      setImmediate(() => {
        for (const _job of jobs) finished();
      });
    });
  },
};
