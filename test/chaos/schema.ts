/** Tables of the harness: what its jobs do, and what the oracle reads. `stock` starts with so many pieces of each item. */
export const items = 50;
export const initialQuantity = 1_000_000;

export const schemaSql = `
  CREATE TABLE chaos_stock (item int PRIMARY KEY, quantity int NOT NULL CHECK (quantity >= 0));
  INSERT INTO chaos_stock SELECT item, ${initialQuantity} FROM generate_series(1, ${items}) AS item;
  CREATE TABLE chaos_movement (
    source_key text NOT NULL CONSTRAINT chaos_once UNIQUE, item int NOT NULL, delta int NOT NULL, receipt_key text,
    at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE chaos_mail (
    send_key text PRIMARY KEY, message_id text UNIQUE NOT NULL,
    state text NOT NULL CHECK (state IN ('sending', 'retry', 'sent', 'unknown')), sending_at timestamptz NOT NULL);
  CREATE TABLE chaos_repair (is_mended boolean NOT NULL);
  INSERT INTO chaos_repair VALUES (false);`;

/** For the naive variant: nothing but the engine keeps a movement from happening twice. */
export const withoutLedgerSql = `
  ALTER TABLE chaos_movement DROP CONSTRAINT chaos_once;
  CREATE TABLE naive_order (key text PRIMARY KEY);`;
