import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { removePostgres, startPostgres } from "../../../dev/services/postgres.ts";
import { freePort, type Service } from "../../../dev/services/service.ts";
import { createDataSource } from "../../../src/db/data-source.ts";
import { addOffer } from "../../support/goods.ts";
import { initialQuantity, schemaSql } from "../schema.ts";

export type Postgres = Awaited<ReturnType<typeof openPostgres>>;

/** A Postgres of the harness's own with our tables and the harness's; `restart` is the crash of a server. */
export async function openPostgres(dataDirectory: string, watch: (pid: number) => void) {
  const port = await freePort();
  // With fsync: what it has acknowledged has to be there after a crash.
  const start = () => startPostgres({ dataDirectory, port, spawned: watch });
  let running: Service = await start();
  const db = await createDataSource(running.url).initialize();
  await db.runMigrations();
  await db.query(schemaSql);
  const { offer } = await addOffer(db, { offer: { quantity: initialQuantity } });
  await db.destroy();
  const pool = new pg.Pool({ connectionString: running.url, max: 3, connectionTimeoutMillis: 5_000 });
  pool.on("error", () => undefined);

  return {
    port,
    /** Something that guests can order. */
    offerId: offer.id,
    /** For the oracle: asks until Postgres answers, for half a minute at most. */
    async query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
      for (const end = Date.now() + 30_000; ; ) {
        try {
          return (await pool.query<Row>(sql, values)).rows;
        } catch (error) {
          if (Date.now() > end || /^(22|23|42)/.test(String((error as { code?: string }).code))) throw error;
          await sleep(200);
        }
      }
    },
    /** Ends it as a crash would (`immediate`), and starts it again. */
    async restart() {
      process.kill(running.pid, "SIGQUIT");
      await running.exited;
      running = await start();
    },
    async stop() {
      await pool.end();
      await running.stop();
      removePostgres(dataDirectory);
    },
  };
}
