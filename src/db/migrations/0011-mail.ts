import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Makes `mails` the durable record of every sending: a row is `sending` from before its SMTP transaction until the
 * outcome is known. `server_answer` keeps its name and holds the reply of any outcome now.
 */
export class Mail1764720000011 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      ALTER TABLE users ADD COLUMN language text NOT NULL DEFAULT 'ru' CHECK (language IN ('ru', 'en'));

      -- The defaults are for rows of the version before, which knows none of these columns.
      ALTER TABLE mails
        ADD COLUMN send_key text NOT NULL DEFAULT gen_random_uuid()::text,
        ADD COLUMN language text NOT NULL DEFAULT 'ru' CHECK (language IN ('ru', 'en')),
        ADD COLUMN state text NOT NULL DEFAULT 'queued'
          CHECK (state IN ('queued', 'sending', 'retry', 'sent', 'failed', 'unknown', 'suppressed')),
        ADD COLUMN epoch integer NOT NULL DEFAULT 0,
        ADD COLUMN tries integer NOT NULL DEFAULT 0,
        ADD COLUMN sending_at timestamptz CHECK (state <> 'sending' OR sending_at IS NOT NULL),
        ADD COLUMN message_id text,
        ADD COLUMN smtp_code smallint,
        ADD COLUMN resend_of uuid CONSTRAINT mails_resend_of_fkey REFERENCES mails ON DELETE SET NULL,
        ADD COLUMN resend_reason text;
      UPDATE mails SET state = 'sent', smtp_code = 250 WHERE sent_at IS NOT NULL;
      CREATE UNIQUE INDEX mails_send_key ON mails (send_key);
      CREATE UNIQUE INDEX mails_message_id ON mails (message_id);
      CREATE INDEX mails_resend_of ON mails (resend_of) WHERE resend_of IS NOT NULL;
      CREATE INDEX mails_recipient ON mails (lower(recipient), created_at DESC, id DESC);
      CREATE INDEX mails_state ON mails (state, created_at DESC, id DESC);

      ALTER TABLE documents ADD COLUMN notify boolean NOT NULL DEFAULT false;

      CREATE TABLE mail_suppressions (
        -- In lower case.
        address text PRIMARY KEY CHECK (address = lower(address)),
        reason text NOT NULL CHECK (reason IN ('bounce', 'complaint', 'unsubscribed', 'staff')),
        -- What a person, or the mail provider, has reported about it.
        detail text,
        created_by uuid CONSTRAINT mail_suppressions_created_by_fkey REFERENCES users ON DELETE SET NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX mail_suppressions_created_by ON mail_suppressions (created_by);
      CREATE INDEX mail_suppressions_newest ON mail_suppressions (created_at DESC, address);
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP TABLE mail_suppressions;
      ALTER TABLE documents DROP COLUMN notify;
      DROP INDEX mails_state, mails_recipient, mails_resend_of, mails_message_id, mails_send_key;
      ALTER TABLE mails DROP COLUMN resend_reason, DROP COLUMN resend_of, DROP COLUMN smtp_code,
        DROP COLUMN message_id, DROP COLUMN sending_at, DROP COLUMN tries, DROP COLUMN epoch, DROP COLUMN state,
        DROP COLUMN language, DROP COLUMN send_key;
      ALTER TABLE users DROP COLUMN language;
    `);
  }
}
