import type { DataSource } from "typeorm";

/** The audit log tells of refused attempts too, and says nothing of their effects. */
const leftOut = ["audit_log", "migrations"];

/** Changes when anything in the database does: a hash of each table. */
export async function fingerprint(db: DataSource): Promise<Record<string, string>> {
  const tables: { name: string }[] = await db.query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
  );
  const watched = tables.filter(({ name }) => !leftOut.includes(name));
  const hashes = watched.map(({ name }) => {
    const hash = `SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM "${name}" t`;
    return `SELECT '${name}' AS name, (${hash}) AS hash`;
  });
  const rows: { name: string; hash: string }[] = await db.query(hashes.join(" UNION ALL "));
  return Object.fromEntries(rows.map(({ name, hash }) => [name, hash]));
}
