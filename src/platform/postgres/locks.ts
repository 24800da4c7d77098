import type { EntityManager, QueryRunner } from "typeorm";

/** The number of every advisory lock of this code, as SQL; in one list, so that no two are the same. */
const locks = {
  /** One process at a time dispatches members of groups … */
  fairDispatch: "7001",
  /** … compares the ledger with Redis … */
  reconciler: "7002",
  /** … and enqueues the jobs of schedules. */
  schedules: "7003",
  webhookEndpoints: "7008",
  /** Links of the audit log are added and removed one at a time. */
  auditChain: "hashtext('audit chain')",
  migrations: "7246128",
} as const;

export type Lock = keyof typeof locks;

/** Acquires a lock until the transaction ends; false while another transaction holds it. Works behind a pooler, too. */
export async function tryLock(tx: EntityManager, lock: Lock): Promise<boolean> {
  const [row]: { taken: boolean }[] = await tx.query(`SELECT pg_try_advisory_xact_lock(${locks[lock]}) AS taken`);
  return row?.taken === true;
}

/** Acquires a lock until the transaction ends; waits while another transaction holds it. */
export async function waitForLock(tx: EntityManager, lock: Lock): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${locks[lock]})`);
}

/** As `waitForLock`, for transactions that name the same thing: they run one at a time. */
export async function waitForLockOn(tx: EntityManager, thing: string): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [thing]);
}

/** Acquires a lock until the connection ends; waits while another connection holds it. */
export async function waitForSessionLock(connection: QueryRunner, lock: Lock): Promise<void> {
  await connection.query(`SELECT pg_advisory_lock(${locks[lock]})`);
}
