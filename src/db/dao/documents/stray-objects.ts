import type { EntityManager } from "typeorm";

/** Pictures that are shown, or will be again if their replacement turns out unusable. */
const shownImages = `
  SELECT images.* FROM images WHERE EXISTS (SELECT 1 FROM categories WHERE image_id = images.id)
    OR EXISTS (SELECT 1 FROM sub_categories WHERE image_id = images.id)
    OR EXISTS (SELECT 1 FROM products WHERE image_id = images.id)
    OR EXISTS (SELECT 1 FROM offers WHERE image_id = images.id)`;
const keptImages = `
  WITH RECURSIVE shown AS (${shownImages}), kept AS (
    SELECT id, object_key, staged_key, variants, replaces_id, published_at FROM shown
    UNION
    SELECT former.id, former.object_key, former.staged_key, former.variants, former.replaces_id, former.published_at
    FROM kept JOIN images former ON former.id = kept.replaces_id WHERE kept.published_at IS NULL
  )`;

/** Imported addresses may point to the same bucket: each rest of one that may be a key, whatever is in front of it. */
const keptAddresses = ["categories", "sub_categories", "products", "offers"]
  .map(
    (table) => `
    SELECT array_to_string(parts[at:], '/') FROM ${table},
      LATERAL string_to_array(regexp_replace(image_url, '[?#].*$', ''), '/') AS parts,
      LATERAL generate_subscripts(parts, 1) AS at
    WHERE parts[at] IN ('images', 'staged', 'documents')`,
  )
  .join(" UNION ALL ");

const referencedSql = `
  ${keptImages}
  SELECT key FROM unnest($1::text[]) AS key WHERE key IN (
    SELECT object_key FROM kept
    UNION ALL SELECT staged_key FROM kept WHERE staged_key IS NOT NULL
    UNION ALL SELECT variant ->> 'key' FROM kept, jsonb_array_elements(variants) AS variant
    UNION ALL SELECT object_key FROM documents WHERE object_key = ANY($1)
    UNION ALL SELECT address FROM (${keptAddresses}) AS addresses (address) WHERE address IS NOT NULL
  )`;

/** Objects of the bucket that no row refers to, from one pass to the next. */
export const strayObjects = {
  /** Those of `keys` that a picture, a document or an address refers to. */
  async referenced(tx: EntityManager, keys: readonly string[]): Promise<Set<string>> {
    const rows: { key: string }[] = await tx.query(referencedSql, [keys]);
    return new Set(rows.map(({ key }) => key));
  },

  /** Those of `keys` that an earlier pass has recorded. */
  async notedBefore(tx: EntityManager, keys: readonly string[], pass: string): Promise<string[]> {
    const rows: { key: string }[] = await tx.query(
      "SELECT key FROM stray_object WHERE key = ANY($1) AND found_by <> $2 ORDER BY key",
      [keys, pass],
    );
    return rows.map(({ key }) => key);
  },

  /** Records keys for the next pass. */
  async record(tx: EntityManager, keys: readonly string[], pass: string) {
    await tx.query(
      "INSERT INTO stray_object (key, found_by) SELECT key, $2 FROM unnest($1::text[]) AS key ON CONFLICT DO NOTHING",
      [keys, pass],
    );
  },

  /** Deletes records of earlier passes that this one did not repeat: the object is removed, or a row refers to it. */
  async forgetOthers(tx: EntityManager, pass: string) {
    await tx.query("DELETE FROM stray_object WHERE found_by <> $1", [pass]);
  },
};
