import { setTimeout as sleep } from "node:timers/promises";
import { createDataSource } from "../../src/db/data-source.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { retryJob } from "../../src/services/operations/job-control.ts";
import { anAdmin } from "../support/operators.ts";
import { kindNames } from "./processes/kinds.ts";
import type { Stack } from "./stack.ts";

const patienceMs = 20_000;

/**
 * Mends what made jobs fail, has each of them retried twice at once, and says what went wrong; the relays of the
 * processes have to find the promises.
 */
export async function retryTwice({ postgres, env }: Stack): Promise<string[]> {
  await postgres.query("UPDATE chaos_repair SET is_mended = true");
  const failed = await postgres.query<{ id: string }>("SELECT id FROM job WHERE kind = $1 AND state = 'failed'", [
    kindNames.broken,
  ]);
  const db = await createDataSource(env.DATABASE_URL, 4).initialize();
  try {
    const transact = createTransact(db, () => undefined);
    const retry = ({ id }: { id: string }) =>
      transact({ actorId: null, traceId: null }, (tx) => retryJob(tx, id, anAdmin)).then(
        () => true,
        () => false,
      );
    const retried = (await Promise.all([...failed, ...failed].map(retry))).filter(Boolean).length;
    if (retried !== failed.length) return [`${failed.length} failed jobs were retried ${retried} times`];
  } finally {
    await db.destroy();
  }
  const outcome = async () =>
    (
      await postgres.query<{ jobs: number; done: number; moved: number }>(
        `SELECT count(*)::int AS jobs, (count(*) FILTER (WHERE state = 'succeeded'))::int AS done,
           (SELECT count(*)::int FROM chaos_movement m JOIN job ON source_key = entity_id WHERE kind = $1) AS moved
         FROM job WHERE kind = $1`,
        [kindNames.broken],
      )
    )[0] ?? { jobs: 0, done: 0, moved: 0 };
  const isRight = ({ jobs, done, moved }: Awaited<ReturnType<typeof outcome>>) => jobs === done && jobs === moved;
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(100)) {
    if (isRight(await outcome())) return [];
  }
  const { jobs, done, moved } = await outcome();
  return [`Of ${jobs} failed jobs that were retried twice at once ${done} were done, and moved stock ${moved} times`];
}
