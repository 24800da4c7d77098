import type { MigrationInterface, QueryRunner } from "typeorm";

export class Search1764028800003 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE EXTENSION IF NOT EXISTS pg_trgm;
      CREATE EXTENSION IF NOT EXISTS intarray;

      -- What pg_trgm compares, as its own 24-bit numbers, sorted: comparing these is ten times faster than comparing
      -- texts, which are split again for each comparison.
      CREATE FUNCTION trigrams(content text) RETURNS integer[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN (
          SELECT coalesce(array_agg(code ORDER BY code), '{}') FROM (
            SELECT CASE WHEN length(shown) > 3 THEN ('x' || substr(shown, 3))::bit(24)::integer
              ELSE (ascii(shown) << 16) | (ascii(substr(shown, 2)) << 8) | ascii(substr(shown, 3)) END AS code
            FROM unnest(show_trgm(content)) shown
          ) codes
        );

      -- Trigrams with the class of their set's size on top (see src/db/dao/catalogue/trigram-probe.ts, which has the same list).
      -- Costly by declaration, so that an index on it is always preferred, and not for parallel workers, because a search
      -- takes less time than starting one.
      CREATE FUNCTION trigram_keys(codes integer[]) RETURNS integer[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL UNSAFE COST 1000
        RETURN (
          SELECT coalesce(array_agg(code + top), '{}')
          FROM (
            SELECT width_bucket(cardinality(codes), '{1,10,30,60,120,240,480,960,1920}'::integer[]) << 24 AS top OFFSET 0
          ) class, unnest(codes) code
        );

      -- What can be found, and nothing that is deleted; kept by triggers. Tables of their own are read faster, and
      -- leave rows whose stock changes all day as small as they are.
      CREATE TABLE product_search (
        product_id uuid PRIMARY KEY REFERENCES products ON DELETE CASCADE,
        content text NOT NULL,
        name_trigrams integer[] NOT NULL,
        cross_number_trigrams integer[]
      );
      CREATE TABLE offer_search (
        offer_id uuid PRIMARY KEY REFERENCES offers ON DELETE CASCADE,
        product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE,
        content text NOT NULL,
        brand_trigrams integer[] NOT NULL,
        manufacturer_number_trigrams integer[] NOT NULL
      );

      CREATE FUNCTION keep_product_search() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.is_deleted THEN
          DELETE FROM product_search WHERE product_id = NEW.id;
        ELSE
          INSERT INTO product_search
          VALUES (NEW.id, lower(NEW.name || E'\\n' || coalesce(NEW.cross_number, '')), trigrams(NEW.name), trigrams(NEW.cross_number))
          ON CONFLICT (product_id) DO UPDATE SET content = excluded.content, name_trigrams = excluded.name_trigrams,
            cross_number_trigrams = excluded.cross_number_trigrams;
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER products_search AFTER INSERT OR UPDATE OF name, cross_number, is_deleted ON products
        FOR EACH ROW EXECUTE FUNCTION keep_product_search();

      CREATE FUNCTION keep_offer_search() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.is_deleted THEN
          DELETE FROM offer_search WHERE offer_id = NEW.id;
        ELSE
          INSERT INTO offer_search
          VALUES (NEW.id, NEW.product_id, lower(NEW.brand || E'\\n' || NEW.manufacturer_number), trigrams(NEW.brand),
            trigrams(NEW.manufacturer_number))
          ON CONFLICT (offer_id) DO UPDATE SET product_id = excluded.product_id, content = excluded.content,
            brand_trigrams = excluded.brand_trigrams, manufacturer_number_trigrams = excluded.manufacturer_number_trigrams;
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER offers_search AFTER INSERT OR UPDATE OF product_id, brand, manufacturer_number, is_deleted ON offers
        FOR EACH ROW EXECUTE FUNCTION keep_offer_search();

      INSERT INTO product_search
      SELECT id, lower(name || E'\\n' || coalesce(cross_number, '')), trigrams(name), trigrams(cross_number)
      FROM products WHERE NOT is_deleted;
      INSERT INTO offer_search
      SELECT id, product_id, lower(brand || E'\\n' || manufacturer_number), trigrams(brand), trigrams(manufacturer_number)
      FROM offers WHERE NOT is_deleted;

      -- One index for searches that respect dots and for those that do not: the former are filtered by the text itself.
      CREATE INDEX product_search_content ON product_search USING gin (replace(content, '.', '') gin_trgm_ops);
      CREATE INDEX product_search_name ON product_search USING gin (trigram_keys(name_trigrams) gin__int_ops);
      CREATE INDEX product_search_cross_number ON product_search
        USING gin (trigram_keys(cross_number_trigrams) gin__int_ops);
      CREATE INDEX offer_search_content ON offer_search USING gin (content gin_trgm_ops);
      CREATE INDEX offer_search_brand ON offer_search USING gin (trigram_keys(brand_trigrams) gin__int_ops);
      CREATE INDEX offer_search_manufacturer_number ON offer_search
        USING gin (trigram_keys(manufacturer_number_trigrams) gin__int_ops);
      CREATE INDEX offer_search_product_id ON offer_search (product_id);

      -- Lists, counts, and what the offers of a product add up to.
      CREATE INDEX products_by_name ON products (name, id) WHERE NOT is_deleted;
      CREATE INDEX products_shown ON products (sub_category_id) WHERE NOT is_deleted;
      CREATE INDEX products_deleted ON products (id) WHERE is_deleted;
      CREATE INDEX offers_shown ON offers (product_id) INCLUDE (quantity, price_rub) WHERE NOT is_deleted;

      -- A deleted product keeps its address, and leaves it to a new one of the same name.
      ALTER TABLE products DROP CONSTRAINT products_slug_key;
      CREATE UNIQUE INDEX products_slug_key ON products (slug) WHERE NOT is_deleted;
      CREATE INDEX products_slug ON products (slug);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP INDEX products_slug, products_slug_key, products_by_name, products_shown, products_deleted, offers_shown;
      ALTER TABLE products ADD CONSTRAINT products_slug_key UNIQUE (slug);
      DROP TRIGGER offers_search ON offers;
      DROP TRIGGER products_search ON products;
      DROP FUNCTION keep_offer_search, keep_product_search;
      DROP TABLE offer_search, product_search;
      DROP FUNCTION trigram_keys, trigrams;
      DROP EXTENSION intarray;
      DROP EXTENSION pg_trgm;
    `);
  }
}
