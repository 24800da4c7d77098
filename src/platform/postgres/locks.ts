import type { EntityManager } from "typeorm";

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

/**
 * The holders of a lock for people, as in "process 4711, 'tcf migrate', since 12:05:01 UTC"; empty where nothing holds
 * it any more.
 */
export async function holdersOf(tx: EntityManager, lock: Lock): Promise<string[]> {
  const rows: { holder: string }[] = await tx.query(
    `SELECT format('process %s, ''%s'', since %s', pid, application_name,
       to_char(coalesce(xact_start, backend_start) AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"')) AS holder
     FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND (classid::bigint << 32 | objid::bigint) = ${locks[lock]}::bigint
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.map(({ holder }) => holder);
}
