import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, EntityManager, MigrationInterface } from "typeorm";
import { NotThereYetError, StartUpError } from "../errors.ts";
import { parsePostgresUrl } from "../platform/postgres/address.ts";
import { isPostgresUnavailable } from "../platform/postgres/errors.ts";
import { holdersOf, tryLock } from "../platform/postgres/locks.ts";
import { connectForMigration, pendingOf, reaching } from "./data-source.ts";

/** The oldest version that is tested, and that its makers still mend in 2026. */
const minPostgres = 14;
/** How often it looks whether another process has ended its migration, and when it says what it waits for. */
const [lookMs, firstWordMs, nextWordMs] = [250, 10_000, 60_000];

export interface MigrationOptions {
  /** True where the URL leads to a pooler in transaction mode. */
  isPooled?: boolean;
  /** Told what it waits for. */
  say?: (text: string) => void;
}

/**
 * Runs the missing migrations, each in a transaction of its own, and returns their names; waits for another process
 * that does this. May be repeated: those that were committed before a failure stay. Throws `StartUpError` that names the
 * migration which failed, and as `connectForMigration`; before any change where Postgres is too old.
 */
export async function runMigrations(
  databaseUrl: string,
  { isPooled = false, say = () => undefined }: MigrationOptions = {},
): Promise<string[]> {
  const db = await connectForMigration(databaseUrl, { isPooled, name: "tcf migrate" });
  try {
    return await reaching(databaseUrl, async () => {
      const [{ version }] = await db.query("SELECT current_setting('server_version') AS version");
      checkVersion(databaseUrl, version);
      return await migrate(db, databaseUrl, say);
    });
  } finally {
    await db.destroy();
  }
}

async function migrate(db: DataSource, url: string, say: (text: string) => void) {
  const done: string[] = [];
  const { pending } = await pendingOf(db.manager);
  const missing = db.migrations.filter((one) => pending.includes(nameOf(one)));
  for (const migration of missing.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    const isDone = await alone(db, say, (tx) => runOne(tx, migration)).catch((error: unknown) => {
      const Failure = isPostgresUnavailable(error) ? NotThereYetError : StartUpError;
      throw new Failure(aboutFailure(url, nameOf(migration), done, error), { cause: error });
    });
    if (isDone) done.push(nameOf(migration));
  }
  return done;
}

/**
 * Runs `work` in a transaction that holds the lock of migrations, which ends with it, also behind a pooler and when this
 * process dies. It asks for the lock again and again, because a transaction that waits could not say what for.
 */
async function alone<T>(db: DataSource, say: (text: string) => void, work: (tx: EntityManager) => Promise<T>) {
  let sayAt = Date.now() + firstWordMs;
  for (;;) {
    const outcome = await db.transaction(async (tx) => {
      if (await tryLock(tx, "migrations")) return { result: await work(tx) };
      if (Date.now() < sayAt) return undefined;
      sayAt = Date.now() + nextWordMs;
      const holders = await holdersOf(tx, "migrations");
      say(`Waiting for another process that migrates: ${holders.join("; ") || "it has just ended"}.`);
      return undefined;
    });
    if (outcome) return outcome.result;
    await sleep(lookMs);
  }
}

/** True when it has run; false where another process has done it meanwhile. */
async function runOne(tx: EntityManager, migration: MigrationInterface) {
  const name = nameOf(migration);
  const { pending } = await pendingOf(tx);
  if (!pending.includes(name) || !tx.queryRunner) return false;
  // As TypeORM makes it, which has migrated older databases.
  await tx.query(`
    CREATE TABLE IF NOT EXISTS migrations (
      id serial CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY,
      "timestamp" bigint NOT NULL,
      name varchar NOT NULL
    )`);
  await migration.up(tx.queryRunner);
  await tx.query(`INSERT INTO migrations ("timestamp", name) VALUES ($1, $2)`, [timeOf(migration), name]);
  return true;
}

const nameOf = (migration: MigrationInterface) => migration.name ?? migration.constructor.name;
/** The milliseconds at the end of its name, by which migrations are ordered. */
const timeOf = (migration: MigrationInterface) => Number(nameOf(migration).slice(-13));

function aboutFailure(url: string, name: string, done: readonly string[], error: unknown) {
  const { servers, path } = parsePostgresUrl(url);
  const before = done.length > 0 ? `${done.join(", ")} before it stay` : "nothing was changed before it";
  const reason = error instanceof Error ? error.message : String(error);
  return (
    `Migration ${name} of ${servers}${path} failed: ${reason}. Nothing of it was kept; ${before}. ` +
    "Put right what it says and run the migrations again: they go on with this one."
  );
}

/** Throws `StartUpError` when a server of this version cannot hold the schema. */
export function checkVersion(databaseUrl: string, version: string): void {
  if (Number.parseInt(version, 10) >= minPostgres) return;
  throw new StartUpError(
    `Postgres at ${parsePostgresUrl(databaseUrl).servers} is version ${version}, and ${minPostgres} or newer is needed. ` +
      "Nothing was changed there.",
  );
}
