import type { EntityManager } from "typeorm";
import { auditLog } from "../db/dao/audit/audit-log.ts";
import { connectForMigration, pendingOf } from "../db/data-source.ts";
import { readOutboxStats } from "../engine/index.ts";
import type { CommandContext } from "./command.ts";
import { compareClocks, type Finding, reasonOf } from "./findings.ts";

export async function lookAtPostgres({ transact }: CommandContext): Promise<Finding[]> {
  try {
    return await transact(async (tx) => {
      const known = await schema(tx);
      const rest = [await clock(tx), await outbox(tx)];
      return [
        await version(tx),
        await connections(tx),
        known,
        ...rest,
        ...(known.state === "ok" ? [await auditChain(tx)] : []),
      ];
    });
  } catch (error) {
    const advice = "Start it, or correct DATABASE_URL; without Postgres nothing works";
    return [{ what: "postgres", state: "problem", found: reasonOf(error), advice }];
  }
}

async function version(tx: EntityManager): Promise<Finding> {
  const [row]: { version: string }[] = await tx.query("SELECT current_setting('server_version') AS version");
  return { what: "postgres", state: "ok", found: `version ${row?.version}` };
}

/** Connections that are open now, by the processes of this installation, and what else the server has. */
async function connections(tx: EntityManager): Promise<Finding> {
  const [limits]: { most: number }[] = await tx.query(
    `SELECT current_setting('max_connections')::int - sum(setting::int)::int AS most FROM pg_settings
     WHERE name IN ('superuser_reserved_connections', 'reserved_connections')`,
  );
  const open: { name: string; count: number }[] = await tx.query(
    `SELECT CASE WHEN datname = current_database() THEN coalesce(nullif(application_name, ''), 'without a name')
       ELSE 'other databases' END AS name, count(*)::int AS count
     FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1 ORDER BY 2 DESC, 1`,
  );
  const used = open.reduce((sum, { count }) => sum + count, 0);
  const most = limits?.most ?? 0;
  const found = `${used} of ${most}: ${open.map(({ name, count }) => `${name} ${count}`).join(", ")}`;
  if (used < most * 0.8) return { what: "connections", state: "ok", found };
  const advice = "Raise max_connections, or lower DATABASE_POOL_MAX or the number of pods, or put a pooler in between";
  return { what: "connections", state: "warning", found, advice };
}

async function schema(tx: EntityManager): Promise<Finding> {
  const { pending, foreign } = await pendingOf(tx);
  if (pending.length > 0)
    return { what: "schema", state: "problem", found: `missing: ${pending.join(", ")}`, advice: "Run `tcf migrate`" };
  const newer = foreign.length > 0 ? `, and newer than this code by ${foreign.join(", ")}: fine after a rollback` : "";
  return { what: "schema", state: "ok", found: `current${newer}` };
}

async function clock(tx: EntityManager): Promise<Finding> {
  const began = Date.now();
  const [row]: { at: Date }[] = await tx.query("SELECT clock_timestamp() AS at");
  return compareClocks("clock of postgres", row?.at.getTime() ?? Number.NaN, began, Date.now());
}

async function outbox(tx: EntityManager): Promise<Finding> {
  const { promised, paused } = await readOutboxStats(tx);
  const lag = Math.max(0, ...promised.map(({ lagSeconds }) => lagSeconds));
  const pauses = paused.length > 0 ? `; paused: ${paused.join(", ")}` : "";
  const found = `${lag === 0 ? "nothing waits for Redis" : `the oldest job waits for Redis for ${Math.round(lag)} s`}${pauses}`;
  if (lag < 60) return { what: "outbox", state: "ok", found };
  return { what: "outbox", state: "problem", found, advice: "See docs/runbook/outbox-stuck.md" };
}

async function auditChain(tx: EntityManager): Promise<Finding> {
  const what = "audit chain";
  const broken = await auditLog.firstBroken(tx);
  if (!broken) return { what, state: "ok", found: "whole" };
  const found = `link ${broken.no} (row ${broken.id}) is not as written, or follows one that is missing`;
  const advice =
    "Compare it with the log lines 'entered into the audit chain' and a backup, and find out who can write to Postgres";
  return { what, state: "problem", found, advice };
}

/** Whether migrations would change the database that the processes use. */
export async function lookAtMigrations({ transact, database }: CommandContext): Promise<Finding[]> {
  const what = "migrations";
  try {
    const used = await transact(identity);
    const { url, isPooled } = database();
    const db = await connectForMigration(url, { isPooled, name: "tcf doctor" });
    const migrated = await identity(db.manager).finally(() => db.destroy());
    const found = `go ${isPooled ? "through the pooler" : "to the server itself"}`;
    if (migrated === used) return [{ what, state: "ok", found }];
    const advice = "Correct DATABASE_DIRECT_URL: it has to be the database that DATABASE_URL leads to";
    return [{ what, state: "problem", found: "go to another database than the processes use", advice }];
  } catch (error) {
    return [{ what, state: "problem", found: reasonOf(error), advice: "Correct DATABASE_DIRECT_URL, or DATABASE_URL" }];
  }
}

/** Differs between two servers and between two databases of one. */
async function identity(tx: EntityManager): Promise<string> {
  const [row]: { identity: string }[] = await tx.query(
    `SELECT format('%s %s', pg_postmaster_start_time(), oid) AS identity FROM pg_database
     WHERE datname = current_database()`,
  );
  return row?.identity ?? "";
}
