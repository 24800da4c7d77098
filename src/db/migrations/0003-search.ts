import type { MigrationInterface, QueryRunner } from "typeorm";

export class Search1764028800003 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
      CREATE EXTENSION IF NOT EXISTS intarray;

      -- What pg_trgm compares, as its own 24-bit numbers, sorted: comparing these is ten times faster than comparing
      -- texts, which are taken apart anew for each comparison.
      CREATE FUNCTION trigrams(content text) RETURNS integer[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN (
          SELECT coalesce(array_agg(code ORDER BY code), '{}') FROM (
            SELECT CASE WHEN length(shown) > 3 THEN ('x' || substr(shown, 3))::bit(24)::integer
              ELSE (ascii(shown) << 16) | (ascii(substr(shown, 2)) << 8) | ascii(substr(shown, 3)) END AS code
            FROM unnest(show_trgm(content)) shown
          ) codes
        );

      -- Trigrams with the class of their set's size on top (see src/db/dao/trigram-probe.ts, which has the same list).
      -- Costly by declaration, so that an index on it is always preferred.
      CREATE FUNCTION trigram_keys(codes integer[]) RETURNS integer[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000
        RETURN (
          SELECT coalesce(array_agg(code + top), '{}')
          FROM (
            SELECT width_bucket(
              cardinality(codes), '{1,10,30,60,120,240,480,960,1920}'::integer[]
            ) << 24 AS top OFFSET 0
          ) class, unnest(codes) code
        );

      ALTER TABLE products
        ADD COLUMN search_text text NOT NULL
          GENERATED ALWAYS AS (lower(name || E'\\n' || coalesce(cross_number, ''))) STORED,
        ADD COLUMN name_trigrams integer[] NOT NULL GENERATED ALWAYS AS (trigrams(name)) STORED,
        ADD COLUMN cross_number_trigrams integer[] GENERATED ALWAYS AS (trigrams(cross_number)) STORED;
      ALTER TABLE offers
        ADD COLUMN search_text text NOT NULL
          GENERATED ALWAYS AS (lower(brand || E'\\n' || manufacturer_number)) STORED,
        ADD COLUMN brand_trigrams integer[] NOT NULL GENERATED ALWAYS AS (trigrams(brand)) STORED,
        ADD COLUMN manufacturer_number_trigrams integer[] NOT NULL
          GENERATED ALWAYS AS (trigrams(manufacturer_number)) STORED;

      -- One index for searches that respect dots and for those that do not: the former are filtered by the text itself.
      CREATE INDEX products_search_text ON products USING gin (replace(search_text, '.', '') gin_trgm_ops);
      CREATE INDEX products_name_keys ON products USING gin (trigram_keys(name_trigrams) gin__int_ops);
      CREATE INDEX products_cross_number_keys ON products USING gin (trigram_keys(cross_number_trigrams) gin__int_ops);
      CREATE INDEX offers_search_text ON offers USING gin (search_text gin_trgm_ops);
      CREATE INDEX offers_brand_keys ON offers USING gin (trigram_keys(brand_trigrams) gin__int_ops);
      CREATE INDEX offers_manufacturer_number_keys ON offers
        USING gin (trigram_keys(manufacturer_number_trigrams) gin__int_ops);

      CREATE INDEX products_by_name ON products (name, id);

      -- A deleted product keeps its address, and leaves it to a new one of the same name.
      ALTER TABLE products DROP CONSTRAINT products_slug_key;
      CREATE UNIQUE INDEX products_slug_key ON products (slug) WHERE NOT is_deleted;
      CREATE INDEX products_slug ON products (slug);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP INDEX products_slug, products_slug_key, products_by_name;
      ALTER TABLE products ADD CONSTRAINT products_slug_key UNIQUE (slug);
      ALTER TABLE offers
        DROP COLUMN search_text, DROP COLUMN brand_trigrams, DROP COLUMN manufacturer_number_trigrams;
      ALTER TABLE products DROP COLUMN search_text, DROP COLUMN name_trigrams, DROP COLUMN cross_number_trigrams;
      DROP FUNCTION trigram_keys, trigrams;
      DROP EXTENSION intarray;
      DROP EXTENSION pg_trgm;
    `);
  }
}
