import type { EntityManager } from "typeorm";
import { ownAddress, type PersonalTable, personalTables } from "../../personal-data.ts";

/** Whose data: of an account, and of guests under its address if the caller may see those. */
export interface ExportOf {
  userId: string;
  /** A guest's address is never verified, so these are for admins, who know the person. */
  withGuestOrders: boolean;
}

export interface ExportSize {
  rows: number;
  bytes: number;
}

const batchSize = 500;
const tables = Object.entries(personalTables);

const person = `
  WITH person AS (SELECT $1::uuid, $2::boolean)`;
/** As `personalTables` writes it: `$2` is the address there. */
const inWords = (sql: string) => sql.replaceAll("$2", `CASE WHEN $2 THEN ${ownAddress} END`);

const shownOf = ({ columns }: PersonalTable) =>
  Object.entries(columns).flatMap(([name, column]) =>
    "isHidden" in column ? [] : [[name, column.shownAs ?? `t.${name}`] as const],
  );

const rowSql = (definition: PersonalTable) => `
  jsonb_build_object(${shownOf(definition)
    .map(([name, sql]) => `'${name}', ${sql}`)
    .join(", ")})`;

/** Text in the column that identifies a row among those of one person; no two of them are equal. */
const keyOf = ({ key }: PersonalTable) => {
  const [name, type] = Object.entries(key).at(-1) ?? ["id", "uuid"];
  return { column: `t.${name}`, type };
};

const sizeSql = `${person}
  SELECT coalesce(sum(rows), 0)::int AS rows, coalesce(sum(bytes), 0)::int AS bytes FROM (${tables
    .map(
      ([name, definition]) => `SELECT count(*) AS rows, sum(octet_length(${rowSql(definition)}::text)) AS bytes
        FROM ${name} t WHERE ${inWords(definition.rows)}`,
    )
    .join(" UNION ALL ")}) sizes`;

function batchSql(name: string, definition: PersonalTable) {
  const { column, type } = keyOf(definition);
  return `${person}
    SELECT ${rowSql(definition)}::text AS row, ${column}::text AS key FROM ${name} t
    WHERE ${inWords(definition.rows)} AND ($3::text IS NULL OR ${column} > $3::text::${type})
    ORDER BY ${column} LIMIT ${batchSize}`;
}

/** How much is stored about a person; null when there is no such account. */
export async function sizeOfExport(
  tx: EntityManager,
  { userId, withGuestOrders }: ExportOf,
): Promise<ExportSize | null> {
  const known = await tx.query("SELECT 1 FROM users WHERE id = $1", [userId]);
  if (known.length === 0) return null;
  const [size]: ExportSize[] = await tx.query(sizeSql, [userId, withGuestOrders]);
  return size ?? null;
}

/**
 * All that is stored about a person, as the text of one JSON object: `user_id`, `taken_at`, and `tables`, lists of rows
 * by name. One batch of rows is in memory at a time; a REPEATABLE READ transaction makes it one state.
 */
export async function* exportPieces(tx: EntityManager, { userId, withGuestOrders }: ExportOf): AsyncGenerator<string> {
  const takenAt = new Date().toISOString();
  yield `{"user_id":${JSON.stringify(userId)},"taken_at":${JSON.stringify(takenAt)},"tables":{`;
  let isFirstTable = true;
  for (const [name, definition] of tables) {
    yield `${isFirstTable ? "" : ","}\n${JSON.stringify(name)}:[`;
    isFirstTable = false;
    yield* rowsOf(tx, batchSql(name, definition), [userId, withGuestOrders]);
    yield "]";
  }
  yield "}}\n";
}

async function* rowsOf(tx: EntityManager, sql: string, parameters: readonly unknown[]): AsyncGenerator<string> {
  for (let last: string | null = null; ; ) {
    const rows: { row: string; key: string }[] = await tx.query(sql, [...parameters, last]);
    if (rows.length > 0) yield `${last === null ? "" : ","}${rows.map(({ row }) => row).join(",")}`;
    last = rows.at(-1)?.key ?? null;
    if (rows.length < batchSize) return;
  }
}
