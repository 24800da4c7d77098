import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Users who are deleted for good, and addresses that are not verified. Both are rules of the tables, so that they hold
 * for every client, and for the version before this one as well.
 */
export class ProvedIdentities1765756800023 implements MigrationInterface {
  async up(runner: QueryRunner) {
    await runner.query(`
      -- A tombstone: an id that the identity provider has deleted, and nothing of the person. Kept for good.
      CREATE TABLE deleted_users (
        id uuid PRIMARY KEY,
        deleted_at timestamptz NOT NULL DEFAULT now()
      );
      -- Of a token and a deletion at once, the deletion wins: insertions share a lock that it holds alone. A share of 256
      -- is enough to keep others going, and few enough for a transaction that enters thousands.
      CREATE FUNCTION hold_user_id(id uuid, is_deletion boolean) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        IF is_deletion THEN PERFORM pg_advisory_xact_lock(23, hashtext(id::text) & 255);
        ELSE PERFORM pg_advisory_xact_lock_shared(23, hashtext(id::text) & 255);
        END IF;
      END $$;
      CREATE FUNCTION keep_deleted_users_out() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM hold_user_id(NEW.id, false);
        IF EXISTS (SELECT 1 FROM deleted_users WHERE id = NEW.id) THEN RETURN NULL; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER users_not_deleted BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION keep_deleted_users_out();
      CREATE FUNCTION wait_for_user() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM hold_user_id(NEW.id, true);
        RETURN NEW;
      END $$;
      CREATE TRIGGER deleted_users_alone BEFORE INSERT ON deleted_users FOR EACH ROW EXECUTE FUNCTION wait_for_user();

      -- What the identity provider says of the address; null: nothing. Addresses that are not proved block no other.
      ALTER TABLE users ADD COLUMN email_verified boolean;
      DROP INDEX users_email_key;
      CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE email_verified IS NOT FALSE;
      CREATE INDEX users_email ON users (lower(email));
    `);
  }

  async down(runner: QueryRunner) {
    await runner.query(`
      DROP INDEX users_email;
      DROP INDEX users_email_key;
      CREATE UNIQUE INDEX users_email_key ON users (lower(email));
      ALTER TABLE users DROP COLUMN email_verified;
      DROP TRIGGER users_not_deleted ON users;
      DROP FUNCTION keep_deleted_users_out;
      DROP TABLE deleted_users;
      DROP FUNCTION wait_for_user;
      DROP FUNCTION hold_user_id;
    `);
  }
}
