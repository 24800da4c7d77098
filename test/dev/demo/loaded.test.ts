import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closed, opened } from "../../../dev/demo/business/calendar.ts";
import { businessTables } from "../../../dev/demo/business/enter.ts";
import { type Loaded, loadDemo } from "../../../dev/demo/load.ts";
import { demoUsers } from "../../../dev/demo/users.ts";
import { createObjectStore, type ObjectStore } from "../../../src/platform/object-store.ts";
import { useDatabase } from "../../support/database.ts";
import { brokenRules } from "../../support/invariants.ts";
import { useBucket } from "../../support/s3.ts";
import { shops } from "./shops.ts";

const patience = 60_000;
const tables = ["categories", "sub_categories", "products", "offers", ...businessTables];

describe.each(shops)("the %s shop in the database", (size, catalogue, business) => {
  const db = useDatabase();
  const s3 = useBucket();
  let store: ObjectStore & { close(): void };
  let loaded: Loaded;
  beforeAll(async () => {
    const { endpoint, bucket, publicUrl, accessKey: accessKeyId, secretKey: secretAccessKey } = s3;
    store = createObjectStore({ endpoint, bucket, publicUrl, accessKeyId, secretAccessKey, region: "us-east-1" });
    loaded = await loadDemo(db, store, size);
  }, patience);
  afterAll(() => store.close());

  /** What must not be there. */
  const none = async (sql: string) => expect(await db.query(sql)).toEqual([]);

  it("has every row that was generated, and the loader says how many of what", async () => {
    const counts = await Promise.all(
      tables.map(async (table) => {
        const [row]: { count: number }[] = await db.query(`SELECT count(*)::int AS count FROM ${table}`);
        return row?.count;
      }),
    );
    const rows = [...Object.values(catalogue), ...Object.values(business)].map(({ length }) => length);
    expect(counts).toEqual(rows);
    expect(Object.values(loaded)).toEqual(rows);
    expect(Object.keys(loaded)).toEqual(expect.arrayContaining(["order lines", "stock movements", "balance entries"]));
  });

  it("has movements that add up to the stock", () =>
    none(`SELECT offer_id FROM stock_movements JOIN offers ON offers.id = offer_id
      GROUP BY offer_id, quantity HAVING sum(delta) <> quantity`));

  it("has movements without a gap", () =>
    none(`SELECT id FROM (SELECT id, quantity_before, lag(quantity_after, 1, 0) OVER (
        PARTITION BY offer_id ORDER BY created_at, id) AS before FROM stock_movements) AS chain
      WHERE quantity_before <> before`));

  it("has entries that add up to the balances", () =>
    none(`SELECT users.id FROM users CROSS JOIN (VALUES ('RUB'), ('USD'), ('EUR'), ('TRY')) AS c (currency)
      LEFT JOIN user_balance_history h ON h.user_id = users.id AND h.currency = c.currency
      GROUP BY users.id, c.currency HAVING coalesce(sum(delta), 0) <> CASE c.currency
        WHEN 'RUB' THEN balance_rub WHEN 'USD' THEN balance_usd WHEN 'EUR' THEN balance_eur ELSE balance_try END`));

  it("has entries without a gap", () =>
    none(`SELECT id FROM (SELECT id, balance_before, lag(balance_after, 1, 0::bigint) OVER (
        PARTITION BY user_id, currency ORDER BY created_at, id) AS before FROM user_balance_history) AS chain
      WHERE balance_before <> before`));

  it("has waybills whose customers were charged what payments had left", () =>
    none(`SELECT w.id FROM waybills w JOIN user_balance_history h ON h.waybill_id = w.id
      JOIN LATERAL (SELECT sum(quantity * price_rub) AS total FROM waybill_offers WHERE waybill_id = w.id) l ON true
      LEFT JOIN LATERAL (SELECT sum(amount_rub) AS paid FROM payments
        WHERE order_id = w.order_id AND state = 'paid' AND paid_at < w.committed_at) p ON true
      WHERE h.delta <> (total - coalesce(paid, 0)) * CASE waybill_type WHEN 'WAYBILL_OUT' THEN -1 ELSE 1 END`));

  it("keeps all rules of the books", async () => {
    expect(await brokenRules(db)).toEqual({});
  });

  it("has exactly one default address for everybody with addresses", () =>
    none("SELECT user_id FROM addresses GROUP BY user_id HAVING count(*) FILTER (WHERE is_default) <> 1"));

  it("keeps payloads of the audit log as objects or null", () =>
    none("SELECT id FROM audit_log WHERE jsonb_typeof(payload) <> 'object'"));

  it("dates everything by the calendar of the demo, not by the clock", async () => {
    for (const table of tables) {
      await none(`SELECT id FROM ${table} WHERE created_at NOT BETWEEN '${opened}' AND '${closed}'`);
    }
    await none(
      `SELECT o.id FROM offers o JOIN stock_movements m ON m.offer_id = o.id WHERE o.updated_at < m.created_at`,
    );
  });

  it("changes nothing when it is loaded again, and brings only demo users up to date", async () => {
    const fingerprint = () =>
      Promise.all(
        tables.map(async (table) => {
          const sql = `SELECT md5(string_agg(t::text, '' ORDER BY id)) AS hash FROM ${table} AS t`;
          return [table, await db.query(sql)];
        }),
      );
    const before = await fingerprint();
    expect(await loadDemo(db, store, size)).toEqual({ users: demoUsers.length });
    expect(await fingerprint()).toEqual(before);
  });
});
