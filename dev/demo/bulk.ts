import type { EntityManager } from "typeorm";

/** Keeps one statement at a few megabytes. */
const batchSize = 5_000;

/**
 * Writes rows to a table in few statements; properties are the columns in camelCase, the same ones in every row.
 * With `update`, a row whose id is known replaces the stored values instead of being refused.
 */
export async function insertRows(
  tx: EntityManager,
  table: string,
  rows: readonly object[],
  { update = false }: { update?: boolean } = {},
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).map(snakeCase);
  if (columns.length === 0) return;
  const list = columns.join(", ");
  const values = columns.map((column) => `${column} = excluded.${column}`).join(", ");
  // One JSON parameter: there is no limit of 65,535 parameters, and the table itself knows the types.
  const sql = `
    INSERT INTO ${table} (${list}) SELECT ${list} FROM json_populate_recordset(NULL::${table}, $1)
    ${update ? `ON CONFLICT (id) DO UPDATE SET ${values}` : ""}`;
  for (let start = 0; start < rows.length; start += batchSize) {
    await tx.query(sql, [JSON.stringify(rows.slice(start, start + batchSize).map(asRecord))]);
  }
}

function asRecord(row: object) {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [snakeCase(name), value]));
}

function snakeCase(name: string) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
