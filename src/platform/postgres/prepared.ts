import { createHash } from "node:crypto";
import type { DataSource, EntityManager } from "typeorm";
import { fromPostgres } from "./errors.ts";
import { PostgresPool, type PostgresPoolOptions } from "./pool.ts";

/** A statement that each connection parses and plans once, or each time behind a pooler in transaction mode. */
export interface Prepared {
  name: string;
  text: string;
}

interface Client {
  query(statement: Prepared & { values: unknown[] }): Promise<{ rows: unknown[] }>;
}

/** Names a statement by its text. */
export function prepare(text: string): Prepared {
  return { name: createHash("sha256").update(text).digest("base64url").slice(0, 32), text };
}

/**
 * Runs a prepared statement and returns its rows. Only for those whose plan stays right when tables grow: the plan for
 * an empty table is kept until the next ANALYZE.
 */
export async function runPrepared<Row>(tx: EntityManager, statement: Prepared, values: unknown[]): Promise<Row[]> {
  const client = tx.queryRunner ? ((await tx.queryRunner.connect()) as Client) : poolOf(tx);
  return rowsOf<Row>(client, statement, values);
}

async function rowsOf<Row>(client: Client, statement: Prepared, values: readonly unknown[]) {
  try {
    const { rows } = await client.query({ ...statement, values: [...values] });
    return rows as Row[];
  } catch (error) {
    throw fromPostgres(error);
  }
}

function poolOf({ connection }: EntityManager) {
  return (connection.driver as unknown as { master: Client }).master;
}

/**
 * SQL: the rest of the transaction reads tables by ordered index scans only. For sweeps of unfinished rows, often the
 * last few of ten thousand: an ordered scan marks entries of dead rows, so that the next scan skips them; other plans
 * read all of them again until the next vacuum (4 ms instead of 0.1 at 9,000).
 */
export const forceIndexScan = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off";

const keyedPlans = { enable_seqscan: "off", plan_cache_mode: "force_generic_plan" };

/** Connections for prepared statements that find rows by their keys. */
export interface KeyedPool {
  run<Row>(statement: Prepared, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/**
 * A few connections to the database of `db` on which plans never read whole tables: there, a cached plan stays right
 * whatever the size of the table was when it was made. It serves arrays of any length; by default Postgres plans each
 * call with few items again, which took 40 % of a claim.
 */
export function openKeyedPool({ options }: DataSource, max: number): KeyedPool {
  const { url, extra } = options as { url: string; extra: PostgresPoolOptions };
  const pool = new PostgresPool({ ...extra, connectionString: url, max, planner: keyedPlans });
  // The pool replaces an idle connection that breaks.
  pool.on("error", () => undefined);
  return {
    run: (statement, values) => rowsOf(pool, statement, values),
    close: () => pool.end(),
  };
}

/**
 * A condition that is always true, and makes the statement's own transaction commit without waiting for the disk. For
 * writes that a crash of Postgres may lose, as long as everything that depends on them is lost as well.
 */
export const withoutDurableCommit = "(SELECT set_config('synchronous_commit', 'off', true)) = 'off'";
