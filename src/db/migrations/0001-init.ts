import type { MigrationInterface, QueryRunner } from "typeorm";

export class Init1763856000001 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        clerk_id text UNIQUE,
        email text NOT NULL,
        first_name text NOT NULL,
        last_name text NOT NULL,
        is_active boolean NOT NULL DEFAULT true,
        role text NOT NULL DEFAULT 'USER' CHECK (role IN ('USER', 'EMPLOYEE', 'ADMIN')),
        customer_type text NOT NULL DEFAULT 'USER_RETAIL'
          CHECK (customer_type IN ('USER_RETAIL', 'USER_WHOLESALE', 'USER_SUPER_WHOLESALE')),
        balance_rub bigint NOT NULL DEFAULT 0,
        balance_usd bigint NOT NULL DEFAULT 0,
        balance_eur bigint NOT NULL DEFAULT 0,
        balance_try bigint NOT NULL DEFAULT 0,
        mailing boolean NOT NULL DEFAULT false,
        phone text,
        city text,
        note text,
        shipping_method text CHECK (shipping_method IN ('SELF_PICKUP', 'CARGO', 'OTHER')),
        shipping_company text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX users_email_key ON users (lower(email));
      CREATE INDEX users_newest ON users (created_at DESC, id DESC);

      CREATE TABLE images (
        id uuid PRIMARY KEY,
        object_key text NOT NULL UNIQUE,
        staged_key text,
        source_sha256 text NOT NULL,
        source_bytes integer NOT NULL CHECK (source_bytes > 0),
        variants jsonb NOT NULL DEFAULT '[]',
        thumbhash text,
        replaces_id uuid REFERENCES images ON DELETE SET NULL,
        job_id uuid REFERENCES job ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz
      );
      CREATE INDEX images_replaces_id ON images (replaces_id);
      CREATE INDEX images_job_id ON images (job_id);

      CREATE TABLE categories (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL CONSTRAINT categories_name_key UNIQUE,
        slug text NOT NULL CONSTRAINT categories_slug_key UNIQUE,
        image_url text,
        image_id uuid REFERENCES images,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX categories_image_id ON categories (image_id);

      CREATE TABLE sub_categories (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        category_id uuid NOT NULL CONSTRAINT sub_categories_category_id_fkey REFERENCES categories,
        name text NOT NULL,
        slug text NOT NULL CONSTRAINT sub_categories_slug_key UNIQUE,
        image_url text,
        image_id uuid REFERENCES images,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX sub_categories_category_id ON sub_categories (category_id);
      CREATE INDEX sub_categories_image_id ON sub_categories (image_id);

      CREATE TABLE products (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        bitrix_id text,
        sub_category_id uuid NOT NULL REFERENCES sub_categories,
        name text NOT NULL,
        slug text NOT NULL CONSTRAINT products_slug_key UNIQUE,
        cross_number text,
        image_url text,
        image_id uuid REFERENCES images,
        is_deleted boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX products_sub_category_id ON products (sub_category_id);
      CREATE INDEX products_image_id ON products (image_id);
      CREATE INDEX products_bitrix_id ON products (bitrix_id);

      CREATE TABLE offers (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        product_id uuid NOT NULL REFERENCES products,
        offer_bitrix_id text,
        sku text,
        brand text NOT NULL CHECK (brand <> ''),
        manufacturer_number text NOT NULL CHECK (manufacturer_number <> ''),
        internal_description text,
        image_url text,
        image_id uuid REFERENCES images,
        price_rub integer NOT NULL CHECK (price_rub >= 0),
        super_wholesale_price_rub integer NOT NULL CHECK (super_wholesale_price_rub >= 0),
        quantity integer NOT NULL DEFAULT 0 CHECK (quantity >= 0),
        is_deleted boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX offers_product_id ON offers (product_id);
      CREATE INDEX offers_image_id ON offers (image_id);

      CREATE TABLE audit_log (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users,
        method text NOT NULL,
        endpoint text NOT NULL,
        payload jsonb,
        status integer NOT NULL,
        request_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX audit_log_user_id ON audit_log (user_id);
      CREATE INDEX audit_log_newest ON audit_log (created_at DESC, id DESC);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query("DROP TABLE audit_log, offers, products, sub_categories, categories, images, users");
  }
}
