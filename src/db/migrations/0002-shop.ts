import type { MigrationInterface, QueryRunner } from "typeorm";

export class Shop1763942400002 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      CREATE TABLE addresses (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL CONSTRAINT addresses_user_id_fkey REFERENCES users ON DELETE CASCADE,
        first_name text NOT NULL,
        last_name text NOT NULL,
        phone text,
        city text NOT NULL,
        street text NOT NULL,
        postal_code text NOT NULL,
        shipping_method text NOT NULL DEFAULT 'OTHER' CHECK (shipping_method IN ('SELF_PICKUP', 'CARGO', 'OTHER')),
        shipping_company text,
        is_default boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX addresses_user_id ON addresses (user_id);
      CREATE UNIQUE INDEX addresses_default_key ON addresses (user_id) WHERE is_default;

      CREATE TABLE orders (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid CONSTRAINT orders_user_id_fkey REFERENCES users,
        address_id uuid CONSTRAINT orders_address_id_fkey REFERENCES addresses ON DELETE SET NULL,
        status text NOT NULL DEFAULT 'NEW'
          CHECK (status IN ('NEW', 'IN_PROGRESS', 'SHIPPING', 'COMPLETED', 'CANCELED')),
        note text,
        country text,
        city text,
        address text,
        street text,
        house text,
        postal_code text,
        shipping_method text NOT NULL CHECK (shipping_method IN ('SELF_PICKUP', 'CARGO', 'OTHER')),
        shipping_company text,
        first_name text NOT NULL,
        last_name text NOT NULL,
        email text NOT NULL,
        phone text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX orders_user_id ON orders (user_id);
      CREATE INDEX orders_address_id ON orders (address_id);
      CREATE INDEX orders_newest ON orders (created_at DESC, id DESC);

      CREATE TABLE order_offers (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        order_id uuid NOT NULL CONSTRAINT order_offers_order_id_fkey REFERENCES orders ON DELETE CASCADE,
        offer_id uuid NOT NULL CONSTRAINT order_offers_offer_id_fkey REFERENCES offers,
        -- Lines of one request share their created_at.
        position integer NOT NULL,
        brand text NOT NULL CHECK (brand <> ''),
        manufacturer_number text NOT NULL CHECK (manufacturer_number <> ''),
        quantity integer NOT NULL CHECK (quantity > 0),
        price_rub integer NOT NULL CHECK (price_rub >= 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX order_offers_order_id ON order_offers (order_id, position);
      CREATE INDEX order_offers_offer_id ON order_offers (offer_id);

      CREATE TABLE waybills (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        author_id uuid NOT NULL CONSTRAINT waybills_author_id_fkey REFERENCES users,
        customer_id uuid NOT NULL CONSTRAINT waybills_customer_id_fkey REFERENCES users,
        order_id uuid CONSTRAINT waybills_order_id_key UNIQUE
          CONSTRAINT waybills_order_id_fkey REFERENCES orders,
        waybill_type text NOT NULL CHECK (waybill_type IN ('WAYBILL_IN', 'WAYBILL_OUT', 'WAYBILL_RETURN')),
        is_pending boolean NOT NULL DEFAULT true,
        note text,
        committed_by uuid CONSTRAINT waybills_committed_by_fkey REFERENCES users,
        committed_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK (is_pending = (committed_at IS NULL))
      );
      CREATE INDEX waybills_author_id ON waybills (author_id);
      CREATE INDEX waybills_customer_id ON waybills (customer_id);
      CREATE INDEX waybills_committed_by ON waybills (committed_by);
      CREATE INDEX waybills_newest ON waybills (created_at DESC, id DESC);

      CREATE TABLE waybill_offers (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        waybill_id uuid NOT NULL CONSTRAINT waybill_offers_waybill_id_fkey REFERENCES waybills ON DELETE CASCADE,
        offer_id uuid NOT NULL CONSTRAINT waybill_offers_offer_id_fkey REFERENCES offers,
        brand text NOT NULL CHECK (brand <> ''),
        manufacturer_number text NOT NULL CHECK (manufacturer_number <> ''),
        quantity integer NOT NULL CHECK (quantity > 0),
        price_rub integer NOT NULL CHECK (price_rub >= 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX waybill_offers_waybill_id ON waybill_offers (waybill_id);
      CREATE INDEX waybill_offers_offer_id ON waybill_offers (offer_id);

      -- One row for each line of a committed waybill; never changed.
      CREATE TABLE stock_movements (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        offer_id uuid NOT NULL CONSTRAINT stock_movements_offer_id_fkey REFERENCES offers,
        waybill_id uuid NOT NULL CONSTRAINT stock_movements_waybill_id_fkey REFERENCES waybills,
        waybill_offer_id uuid NOT NULL CONSTRAINT stock_movements_waybill_offer_id_key UNIQUE
          CONSTRAINT stock_movements_waybill_offer_id_fkey REFERENCES waybill_offers,
        waybill_type text NOT NULL,
        delta integer NOT NULL,
        quantity_before integer NOT NULL,
        quantity_after integer NOT NULL CHECK (quantity_after >= 0),
        user_id uuid NOT NULL CONSTRAINT stock_movements_user_id_fkey REFERENCES users,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK (quantity_after = quantity_before + delta)
      );
      CREATE INDEX stock_movements_offer_id ON stock_movements (offer_id, created_at DESC, id DESC);
      CREATE INDEX stock_movements_waybill_id ON stock_movements (waybill_id);
      CREATE INDEX stock_movements_user_id ON stock_movements (user_id);
      CREATE INDEX stock_movements_newest ON stock_movements (created_at DESC, id DESC);

      CREATE TABLE payments (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        order_id uuid NOT NULL CONSTRAINT payments_order_id_fkey REFERENCES orders,
        method text NOT NULL CHECK (method IN ('BALANCE', 'INVOICE', 'CASH', 'CARD')),
        state text NOT NULL CHECK (state IN ('pending', 'authorized', 'paid', 'failed', 'refunded')),
        amount_rub integer NOT NULL CHECK (amount_rub > 0),
        -- Only of cards: who handles them, its name for the payment, and where the customer pays.
        provider text,
        provider_reference text,
        checkout_url text,
        failure text,
        created_by uuid CONSTRAINT payments_created_by_fkey REFERENCES users,
        paid_at timestamptz,
        refunded_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX payments_order_id ON payments (order_id);
      CREATE INDEX payments_created_by ON payments (created_by);
      CREATE INDEX payments_newest ON payments (created_at DESC, id DESC);
      CREATE UNIQUE INDEX payments_provider_reference_key ON payments (provider, provider_reference);

      -- Messages of other systems that have been dealt with, so that a repeated one has no effect.
      CREATE TABLE received_events (
        source text NOT NULL,
        event_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (source, event_id)
      );

      CREATE TABLE user_balance_history (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL CONSTRAINT user_balance_history_user_id_fkey REFERENCES users,
        waybill_id uuid CONSTRAINT user_balance_history_waybill_id_key UNIQUE
          CONSTRAINT user_balance_history_waybill_id_fkey REFERENCES waybills,
        payment_id uuid CONSTRAINT user_balance_history_payment_id_fkey REFERENCES payments,
        delta bigint NOT NULL,
        balance_before bigint NOT NULL,
        balance_after bigint NOT NULL,
        currency text NOT NULL CHECK (currency IN ('RUB', 'USD', 'EUR', 'TRY')),
        reason text NOT NULL CHECK (reason IN ('WAYBILL_PAYMENT', 'ADMIN_ADJUSTMENT', 'PROMOTION_CREDIT', 'OTHER',
                                               'ORDER_PAYMENT', 'ORDER_REFUND')),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK (balance_after = balance_before + delta)
      );
      CREATE INDEX user_balance_history_user_id ON user_balance_history (user_id, created_at DESC, id DESC);
      CREATE UNIQUE INDEX user_balance_history_payment_key ON user_balance_history (payment_id, reason);

      CREATE TABLE carts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL CONSTRAINT carts_user_id_fkey REFERENCES users ON DELETE CASCADE,
        status text NOT NULL DEFAULT 'DRAFT' CHECK (status IN ('DRAFT', 'ORDERED', 'ABANDONED')),
        order_id uuid CONSTRAINT carts_order_id_key UNIQUE
          CONSTRAINT carts_order_id_fkey REFERENCES orders ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX carts_user_id ON carts (user_id);
      CREATE UNIQUE INDEX carts_draft_key ON carts (user_id) WHERE status = 'DRAFT';

      CREATE TABLE cart_offers (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        cart_id uuid NOT NULL CONSTRAINT cart_offers_cart_id_fkey REFERENCES carts ON DELETE CASCADE,
        offer_id uuid NOT NULL CONSTRAINT cart_offers_offer_id_fkey REFERENCES offers,
        quantity integer NOT NULL CHECK (quantity > 0),
        -- The price that the customer has seen last, to be told when it changes.
        seen_price_rub integer NOT NULL CHECK (seen_price_rub >= 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT cart_offers_offer_key UNIQUE (cart_id, offer_id)
      );
      CREATE INDEX cart_offers_offer_id ON cart_offers (offer_id);

      CREATE TABLE documents (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        format text NOT NULL,
        parameters jsonb NOT NULL DEFAULT '{}',
        file_name text NOT NULL,
        -- Set when the file is in the bucket.
        object_key text,
        content_type text,
        bytes integer,
        sha256 text,
        job_id uuid CONSTRAINT documents_job_id_fkey REFERENCES job ON DELETE SET NULL,
        requested_by uuid CONSTRAINT documents_requested_by_fkey REFERENCES users,
        created_at timestamptz NOT NULL DEFAULT now(),
        ready_at timestamptz,
        CHECK ((ready_at IS NULL) = (object_key IS NULL))
      );
      CREATE INDEX documents_job_id ON documents (job_id);
      CREATE INDEX documents_requested_by ON documents (requested_by);
      CREATE INDEX documents_newest ON documents (created_at DESC, id DESC);

      CREATE TABLE mails (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        recipient text NOT NULL,
        parameters jsonb NOT NULL DEFAULT '{}',
        job_id uuid CONSTRAINT mails_job_id_fkey REFERENCES job ON DELETE SET NULL,
        -- What the server said when it took the message.
        server_answer text,
        sent_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX mails_job_id ON mails (job_id);
      CREATE INDEX mails_newest ON mails (created_at DESC, id DESC);

      -- Answers to requests with an Idempotency-Key. The answer is null only inside the transaction that makes it.
      CREATE TABLE idempotency_key (
        scope text NOT NULL,
        key text NOT NULL,
        request_hash text NOT NULL,
        status integer,
        body text,
        headers jsonb,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (scope, key)
      );
      CREATE INDEX idempotency_key_expires_at ON idempotency_key (expires_at);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP TABLE idempotency_key, mails, documents, cart_offers, carts, user_balance_history, received_events, payments,
        stock_movements, waybill_offers, waybills, order_offers, orders, addresses
    `);
  }
}
