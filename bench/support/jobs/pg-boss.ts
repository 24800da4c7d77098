import { PgBoss } from "pg-boss";
import { type Contestant, concurrency, numbersFrom, payloadOf, producers } from "./contestant.ts";

const queue = "noop";

async function open(connectionString: string) {
  const boss = new PgBoss({ connectionString, max: producers });
  boss.on("error", () => undefined);
  await boss.start();
  return boss;
}

/** pg-boss with its defaults, but for fetching as many jobs at once as the others run: it polls. */
export const contestant: Contestant = {
  async prepare({ databaseUrl }) {
    const boss = await open(databaseUrl);
    await boss.createQueue(queue);
    await boss.stop();
  },
  async producer({ databaseUrl }) {
    const boss = await open(databaseUrl);
    return {
      one: (n) => boss.send(queue, payloadOf(n)),
      page: (n) =>
        boss.insert(
          queue,
          numbersFrom(n).map((one) => ({ data: payloadOf(one) })),
        ),
    };
  },
  async worker({ databaseUrl }, started, finished) {
    const boss = await open(databaseUrl);
    await boss.work<{ n: number }>(queue, { batchSize: concurrency, pollingIntervalSeconds: 0.5 }, async (jobs) => {
      for (const job of jobs) started(job.data.n);
      setImmediate(() => {
        for (const _job of jobs) finished();
      });
    });
  },
};
