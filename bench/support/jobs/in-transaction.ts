import type pg from "pg";
import { now } from "./contestant.ts";

/** Does what a caller with work of its own would: opens a transaction, adds, commits; returns when it had committed. */
export async function inTransaction(pool: pg.Pool, add: (client: pg.PoolClient) => Promise<unknown>): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await add(client);
    await client.query("COMMIT");
    return now();
  } finally {
    client.release();
  }
}
