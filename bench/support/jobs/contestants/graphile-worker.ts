import { Logger, run, runMigrations } from "graphile-worker";
import pg from "pg";
import { type Contestant, concurrency, numbersFrom, payloadOf, producers } from "../contestant.ts";
import { inTransaction } from "../in-transaction.ts";

const logger = new Logger(() => () => undefined);

/** graphile-worker with its defaults: a job is added in a transaction of the caller's. */
export const contestant: Contestant = {
  prepare: ({ databaseUrl }) => runMigrations({ connectionString: databaseUrl, logger }),
  async producer({ databaseUrl }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: producers });
    const addOne = "SELECT graphile_worker.add_job('noop', $1::json, job_key := $2)";
    const addMany = `SELECT graphile_worker.add_jobs(array(
      SELECT ('noop', payload, null, null, null, payload->>'n', null, null)::graphile_worker.job_spec
      FROM json_array_elements($1) payload))`;
    return {
      one: (n) => inTransaction(pool, (client) => client.query(addOne, [payloadOf(n), `noop:${n}`])),
      page: (n) =>
        inTransaction(pool, (client) => client.query(addMany, [JSON.stringify(numbersFrom(n).map(payloadOf))])),
    };
  },
  async worker({ databaseUrl }, started, finished) {
    const runner = await run({
      connectionString: databaseUrl,
      concurrency,
      logger,
      noHandleSignals: true,
      taskList: { noop: async (payload) => started((payload as { n: number }).n) },
    });
    runner.events.on("job:complete", finished);
  },
};
