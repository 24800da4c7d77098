import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Money, goods and papers agree (docs/money.md): several waybills for an order, returns that know their delivery,
 * partial refunds, money that matches no order, and numbers of papers. Rows from before this stay as they are: what
 * contradicts the new rules is named by `tcf doctor --books`.
 */
export class Books1766361600030 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE waybills DROP CONSTRAINT waybills_order_id_key;
      CREATE INDEX waybills_order_id ON waybills (order_id);
      ALTER TABLE waybills
        ADD COLUMN return_of uuid CONSTRAINT waybills_return_of_fkey REFERENCES waybills,
        ADD COLUMN paper_year integer,
        ADD COLUMN paper_number integer,
        ADD CONSTRAINT waybills_order_goes_out CHECK (order_id IS NULL OR waybill_type = 'WAYBILL_OUT') NOT VALID,
        ADD CONSTRAINT waybills_return_comes_back
          CHECK (return_of IS NULL OR (waybill_type = 'WAYBILL_RETURN' AND order_id IS NULL)),
        ADD CONSTRAINT waybills_paper CHECK ((paper_year IS NULL) = (paper_number IS NULL));
      CREATE INDEX waybills_return_of ON waybills (return_of) WHERE return_of IS NOT NULL;

      -- A number is no change of the goods.
      ALTER TABLE waybills DISABLE TRIGGER waybills_updated_at;
      UPDATE waybills SET paper_year = numbered.year, paper_number = numbered.number
      FROM (
        SELECT id, year, row_number() OVER (PARTITION BY waybill_type, year ORDER BY committed_at, id) AS number
        FROM (SELECT id, waybill_type, committed_at,
                extract(year FROM committed_at AT TIME ZONE 'Europe/Simferopol')::integer AS year
              FROM waybills WHERE committed_at IS NOT NULL) AS committed
      ) AS numbered
      WHERE numbered.id = waybills.id;
      ALTER TABLE waybills ENABLE TRIGGER waybills_updated_at;
      CREATE UNIQUE INDEX waybills_paper_key ON waybills (waybill_type, paper_year, paper_number);

      CREATE TABLE invoices (
        year integer NOT NULL,
        number integer NOT NULL CHECK (number > 0),
        order_id uuid CONSTRAINT invoices_order_id_key UNIQUE
          CONSTRAINT invoices_order_id_fkey REFERENCES orders ON DELETE SET NULL,
        issued_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (year, number)
      );

      ALTER TABLE payments DROP CONSTRAINT payments_state_check;
      ALTER TABLE payments
        ADD CONSTRAINT payments_state_check
          CHECK (state IN ('pending', 'authorized', 'paid', 'failed', 'refunded', 'unmatched', 'credited')),
        ALTER COLUMN order_id DROP NOT NULL,
        ADD COLUMN original_order_id uuid,
        ADD COLUMN refunded_rub integer NOT NULL DEFAULT 0,
        ADD COLUMN unmatched_reason text
          CHECK (unmatched_reason IN ('order_canceled', 'order_deleted', 'nothing_due', 'wrong_amount')),
        ADD COLUMN credited_to uuid CONSTRAINT payments_credited_to_fkey REFERENCES users;
      CREATE INDEX payments_credited_to ON payments (credited_to) WHERE credited_to IS NOT NULL;
      CREATE INDEX payments_unmatched ON payments (created_at) WHERE state = 'unmatched';
      ALTER TABLE payments DISABLE TRIGGER payments_updated_at;
      UPDATE payments SET refunded_rub = amount_rub WHERE state = 'refunded';
      ALTER TABLE payments ENABLE TRIGGER payments_updated_at;
      ALTER TABLE payments
        ADD CONSTRAINT payments_refunded_rub CHECK (refunded_rub BETWEEN 0 AND amount_rub),
        ADD CONSTRAINT payments_credited CHECK ((state = 'credited') = (credited_to IS NOT NULL)),
        ADD CONSTRAINT payments_order
          CHECK (order_id IS NOT NULL OR state IN ('failed', 'refunded', 'unmatched', 'credited')),
        ADD CONSTRAINT payments_unmatched_reason CHECK (state <> 'unmatched' OR unmatched_reason IS NOT NULL);

      CREATE TABLE refunds (
        id uuid PRIMARY KEY,
        payment_id uuid NOT NULL CONSTRAINT refunds_payment_id_fkey REFERENCES payments,
        amount_rub integer NOT NULL CHECK (amount_rub > 0),
        reason text,
        state text NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
        failure text,
        -- The return that the money is for.
        waybill_id uuid CONSTRAINT refunds_waybill_id_fkey REFERENCES waybills,
        provider_reference text,
        created_by uuid CONSTRAINT refunds_created_by_fkey REFERENCES users,
        finished_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((state = 'pending') = (finished_at IS NULL))
      );
      CREATE INDEX refunds_payment_id ON refunds (payment_id);
      CREATE INDEX refunds_waybill_id ON refunds (waybill_id) WHERE waybill_id IS NOT NULL;
      CREATE INDEX refunds_created_by ON refunds (created_by);
      CREATE UNIQUE INDEX refunds_provider_reference_key ON refunds (provider_reference);
      CREATE TRIGGER refunds_updated_at BEFORE UPDATE ON refunds
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION set_updated_at();
      INSERT INTO refunds (id, payment_id, amount_rub, state, finished_at, created_at)
        SELECT gen_random_uuid(), id, amount_rub, 'succeeded', refunded_at, refunded_at
        FROM payments WHERE state = 'refunded';

      ALTER TABLE user_balance_history
        ADD COLUMN refund_id uuid CONSTRAINT user_balance_history_refund_id_key UNIQUE
          CONSTRAINT user_balance_history_refund_id_fkey REFERENCES refunds;
      DROP INDEX user_balance_history_payment_key;
      CREATE UNIQUE INDEX user_balance_history_payment_key ON user_balance_history (payment_id, reason)
        WHERE refund_id IS NULL;
      CREATE INDEX user_balance_history_payment_id ON user_balance_history (payment_id);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP INDEX user_balance_history_payment_key, user_balance_history_payment_id;
      ALTER TABLE user_balance_history DROP COLUMN refund_id;
      CREATE UNIQUE INDEX user_balance_history_payment_key ON user_balance_history (payment_id, reason);
      DROP TABLE refunds, invoices;
      DROP INDEX payments_unmatched;
      ALTER TABLE payments DROP CONSTRAINT payments_order, DROP CONSTRAINT payments_credited,
        DROP CONSTRAINT payments_refunded_rub, DROP CONSTRAINT payments_unmatched_reason,
        DROP CONSTRAINT payments_state_check;
      ALTER TABLE payments DROP COLUMN credited_to, DROP COLUMN unmatched_reason, DROP COLUMN refunded_rub,
        DROP COLUMN original_order_id, ALTER COLUMN order_id SET NOT NULL,
        ADD CONSTRAINT payments_state_check
          CHECK (state IN ('pending', 'authorized', 'paid', 'failed', 'refunded'));
      ALTER TABLE waybills DROP COLUMN return_of, DROP COLUMN paper_year, DROP COLUMN paper_number,
        DROP CONSTRAINT waybills_order_goes_out;
      DROP INDEX waybills_order_id;
      ALTER TABLE waybills ADD CONSTRAINT waybills_order_id_key UNIQUE (order_id);
    `);
  }
}
