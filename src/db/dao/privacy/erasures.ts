import type { EntityManager } from "typeorm";
import { cancelJobs } from "../../../engine/index.ts";
import { type Column, type PersonalTable, personalTables } from "../../personal-data.ts";

/** The record of an erasure: of an account, or of a guest's address. */
export interface Erasure {
  id: string;
  userId: string | null;
  /** In lower case; null when the erasure is finished. */
  address: string | null;
  reason: string;
  /** URL of the request that caused it, as in the audit log. */
  endpoint: string;
  requestedBy: string;
  jobId: string | null;
  begunAt: Date | null;
  finishedAt: Date | null;
  /** The number of erased rows, by table. */
  counts: Record<string, number>;
}

export type Counts = Erasure["counts"];

const columns = `id, user_id AS "userId", address, reason, endpoint, requested_by AS "requestedBy", job_id AS "jobId",
  begun_at AS "begunAt", finished_at AS "finishedAt", counts`;

/** Postgres requires a type for parameters that a statement does not use. */
const person = "WITH person AS (SELECT $1::uuid, $2::text)";
type Person = Pick<Erasure, "userId" | "address">;

const atOnce = Object.entries(personalTables).filter(([, { traces }]) => traces === undefined);

/** Tables whose rows are found page by page, in the order of the erasure. */
export type TracedTable = "documents" | "mails" | "audit_log" | "idempotency_key" | "job" | "queue_pause";

/** The primary key of a row, column by column. */
export type RowKey = readonly string[];

export interface TracedPage {
  /** Rows with personal data of the person. */
  found: RowKey[];
  /** The cursor of the next page; null: there is none. */
  next: RowKey | null;
}

const isGoing = (column: Column) => "goes" in column;

/** SQL that erases rows `t` of a table that match a condition; rows that are erased already are not counted. */
function erasingSql(table: string, definition: PersonalTable, where: string) {
  const all = Object.entries(definition.columns);
  if (all.some(([, column]) => isGoing(column))) return `DELETE FROM ${table} t WHERE ${where}`;
  const changes = all.flatMap(([name, column]) => ("becomes" in column ? [[name, column.becomes] as const] : []));
  if (changes.length === 0) return undefined;
  const sets = changes.map(([name, value]) => `${name} = ${value}`).join(", ");
  const isNew = changes.map(([name, value]) => `t.${name} IS DISTINCT FROM ${value}`).join(" OR ");
  return `UPDATE ${table} t SET ${sets} WHERE (${where}) AND (${isNew})`;
}

const keyOf = (table: string) => Object.entries((personalTables[table] as PersonalTable).key);

function pageSql(table: TracedTable) {
  const { traces = "false" } = personalTables[table] as PersonalTable;
  const key = keyOf(table);
  const primaryKey = key.map(([name]) => `t.${name}`).join(", ");
  const last = key.map(([, type], index) => `($2::text[])[${index + 1}]::${type}`).join(", ");
  const asText = `ARRAY[${key.map(([name]) => `t.${name}::text`).join(", ")}]`;
  return `
    WITH begun AS (SELECT begun_at AS at FROM erasures WHERE id = $1),
    page AS (SELECT t.* FROM ${table} t WHERE $2::text[] IS NULL OR (${primaryKey}) > (${last}) ORDER BY ${primaryKey} LIMIT $3)
    SELECT ${asText} AS key, ${traces} AS "isFound" FROM page t, begun ORDER BY ${primaryKey}`;
}

/** SQL that matches rows `t` by their keys, given column by column. */
function isAmong(table: string) {
  const key = keyOf(table);
  const values = key.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ");
  return `(${key.map(([name]) => `t.${name}`).join(", ")}) IN (SELECT * FROM unnest(${values}))`;
}

/** Erasures, the marks that identify the person, and the erasing statements. */
export const erasures = {
  async find(tx: EntityManager, id: string): Promise<Erasure | null> {
    const [row]: Erasure[] = await tx.query(`SELECT ${columns} FROM erasures WHERE id = $1`, [id]);
    return row ?? null;
  },

  /** The unfinished erasure of this account, or of this guest; its row is locked. */
  async underWay(tx: EntityManager, { userId, address }: Person): Promise<Erasure | null> {
    const [row]: Erasure[] = await tx.query(
      `SELECT ${columns} FROM erasures
       WHERE coalesce(user_id::text, address) = coalesce($1, $2) AND finished_at IS NULL FOR UPDATE`,
      [userId, address],
    );
    return row ?? null;
  },

  /** Inserts an erasure; a second one of the same person waits for the first one's transaction and is not inserted. */
  async insert(
    tx: EntityManager,
    row: Pick<Erasure, "id" | "userId" | "address" | "reason" | "endpoint" | "requestedBy">,
  ) {
    await tx.query(
      `INSERT INTO erasures (id, user_id, address, reason, endpoint, requested_by) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING`,
      [row.id, row.userId, row.address, row.reason, row.endpoint, row.requestedBy],
    );
  },

  async attachJob(tx: EntityManager, id: string, jobId: string) {
    await tx.query("UPDATE erasures SET job_id = $2 WHERE id = $1", [id, jobId]);
  },

  /** Records what identifies the person, and the moment after which all data are another person's. */
  async mark(tx: EntityManager, { id, userId, address }: Erasure) {
    for (const [table, { rows, marks = {} }] of atOnce) {
      for (const [kind, column] of Object.entries(marks)) {
        // "—" and the like mean that no phone number was given.
        const isUseful = kind === "phone" ? "length(regexp_replace(value, '\\D', '', 'g')) >= 7" : "true";
        await tx.query(
          `${person}, found AS (SELECT lower(t.${column}::text) AS value FROM ${table} t WHERE ${rows})
           INSERT INTO erasure_marks (erasure_id, kind, value)
           SELECT DISTINCT $3::uuid, $4::text, value FROM found WHERE value IS NOT NULL AND ${isUseful}
           ON CONFLICT DO NOTHING`,
          [userId, address, id, kind],
        );
      }
    }
    await tx.query(
      `INSERT INTO erasure_marks (erasure_id, kind, value) SELECT $1, 'address', $2 WHERE $2::text IS NOT NULL
       ON CONFLICT DO NOTHING`,
      [id, address],
    );
    await tx.query("UPDATE erasures SET begun_at = clock_timestamp() WHERE id = $1 AND begun_at IS NULL", [id]);
  },

  /** Erases the rows that belong to the person, and returns their number by table. May be repeated. */
  async eraseRows(tx: EntityManager, { userId, address }: Person): Promise<Counts> {
    const counts: Counts = {};
    for (const [table, definition] of atOnce) {
      const { rows, mentions = "false" } = definition;
      const sql = erasingSql(table, definition, `${rows} OR ${mentions}`);
      const [, affected]: [unknown, number] = sql ? await tx.query(`${person} ${sql}`, [userId, address]) : [[], 0];
      if (affected > 0) counts[table] = affected;
    }
    return counts;
  },

  /** The unfinished jobs that mail the person or make documents about them. */
  async cancelJobs(tx: EntityManager, id: string, reason: string) {
    const rows: { id: string }[] = await tx.query(unfinishedSql("true"), [id]);
    const ids = rows.map((row) => row.id);
    await cancelJobs(tx, ids, { at: new Date().toISOString(), by: null, reason });
  },

  /** Whether a worker is still running one of those jobs; one whose lease ended long ago is not. */
  async isWorkedFor(tx: EntityManager, id: string): Promise<boolean> {
    const rows = await tx.query(`${unfinishedSql("job.lease_until > now() - interval '30 seconds'")} LIMIT 1`, [id]);
    return rows.length > 0;
  },

  /** Searches the next `size` rows of a table for the person. */
  async page(
    tx: EntityManager,
    id: string,
    { table, after, size }: { table: TracedTable; after: RowKey | null; size: number },
  ): Promise<TracedPage> {
    const rows: { key: string[]; isFound: boolean | null }[] = await tx.query(pageSql(table), [id, after, size]);
    return {
      found: rows.flatMap(({ key, isFound }) => (isFound ? [key] : [])),
      next: rows.length < size ? null : (rows.at(-1)?.key ?? null),
    };
  },

  /** Erases rows by their keys; returns how many had something to erase. */
  async eraseKeys(tx: EntityManager, table: Exclude<TracedTable, "audit_log">, keys: readonly RowKey[]) {
    const sql = erasingSql(table, personalTables[table] as PersonalTable, isAmong(table));
    const values = keyOf(table).map((_, index) => keys.map((key) => key[index]));
    const [, affected]: [unknown, number] = await tx.query(String(sql), values);
    return affected;
  },

  /** Object keys of documents that no other document needs. */
  async objectsOf(tx: EntityManager, ids: readonly string[]): Promise<string[]> {
    const rows: { key: string }[] = await tx.query(
      `SELECT DISTINCT object_key AS key FROM documents t WHERE id = ANY($1) AND object_key IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM documents other WHERE other.object_key = t.object_key AND other.id <> ALL($1))`,
      [ids],
    );
    return rows.map(({ key }) => key);
  },

  async addCounts(tx: EntityManager, id: string, counts: Counts) {
    await tx.query(
      `UPDATE erasures SET counts = counts || (
         SELECT coalesce(jsonb_object_agg(key, value::bigint + coalesce((counts ->> key)::bigint, 0)), '{}')
         FROM jsonb_each_text($2))
       WHERE id = $1`,
      [id, JSON.stringify(counts)],
    );
  },

  /** Deletes whom it was about, except for the id of an account. */
  async finish(tx: EntityManager, id: string) {
    await tx.query("DELETE FROM erasure_marks WHERE erasure_id = $1", [id]);
    await tx.query("UPDATE erasures SET address = NULL, finished_at = now() WHERE id = $1", [id]);
  },
};

const unfinishedSql = (isMeant: string) => `
  WITH begun AS (SELECT begun_at AS at FROM erasures WHERE id = $1)
  ${(["mails", "documents"] as const)
    .map(
      (table) => `SELECT job.id FROM job JOIN ${table} t ON t.job_id = job.id, begun
        WHERE job.finished_at IS NULL AND ${isMeant} AND (${personalTables[table]?.traces})`,
    )
    .join(" UNION ")}`;
