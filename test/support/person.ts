import { randomUUID } from "node:crypto";
import type { DataSource } from "typeorm";
import { auditLog } from "../../src/db/dao/audit/audit-log.ts";
import { personalTables } from "../../src/db/personal-data.ts";
import { enqueue } from "../../src/engine/outbox.ts";
import { renderDocument } from "../../src/jobs/render-document.ts";
import type { ObjectStore } from "../../src/platform/object-store.ts";
import { requestMails } from "../../src/services/mail/mails.ts";
import { addOrder, addPayment } from "./orders.ts";
import { addUser } from "./users.ts";
import { addWaybill } from "./waybills.ts";

/** A person about whom something is stored wherever something can be; every text that is theirs holds `mark`. */
export interface Person {
  mark: string;
  phone: string;
  email: string;
  /** Null: a guest. */
  userId: string | null;
  orderId: string;
  objectKeys: string[];
}

/** Columns that are not free text: a rule of the table says what may be in them, or the test needs it to find the row. */
const ruled = new Set([
  ...["users.role", "users.language", "users.shipping_method", "users.email", "users.phone", "users.erased_at"],
  ...["orders.email", "orders.phone", "addresses.phone", "addresses.shipping_method", "carts.status"],
  ...["mail_suppressions.address", "mail_suppressions.reason", "mails.recipient", "mails.language", "mails.state"],
  ...["documents.object_key", "documents.parameters", "documents.kind", "audit_log.endpoint"],
]);

/** Of an account, or of a guest; `staffId` did and made things about them. */
export async function addPerson(
  db: DataSource,
  store: ObjectStore,
  { offerId, staffId, isGuest }: { offerId: string; staffId: string; isGuest: boolean },
): Promise<Person> {
  const mark = `mark${randomUUID().replaceAll("-", "")}`;
  const phone = `+7978${String(Math.random()).slice(2, 9)}`;
  const email = `Anna.${mark}@mark.example`;
  const userId = isGuest ? null : (await addUser(db, { email, phone })).id;
  const { id: orderId } = await addOrder(db, { userId, email, phone, status: "COMPLETED", lines: [{ offerId }] });
  await addPayment(db, {
    orderId,
    amountRub: 1_000,
    method: "CARD",
    provider: "test",
    providerReference: randomUUID(),
    refundedRub: 300,
  });
  const { id: waybillId } = await addWaybill(db, {
    ...{ customerId: userId ?? staffId, authorId: staffId, orderId, lines: [{ offerId }] },
  });
  if (userId) await addAccountThings(db, userId, phone, offerId);
  await db.query("INSERT INTO mail_suppressions (address, reason) VALUES ($1, 'bounce')", [email.toLowerCase()]);
  const wanted = { kind: "order-received", recipient: email, parameters: { orderId } } as const;
  await db.transaction(async (tx) => {
    await requestMails(tx, [
      { ...wanted, event: `a:${orderId}` },
      { ...wanted, event: `b:${orderId}`, parameters: {} },
    ]);
  });
  await db.query("UPDATE mails SET state = 'sent', sent_at = now() WHERE recipient = $1 AND parameters = '{}'", [
    email,
  ]);
  const objectKeys = await addDocuments(db, store, { mark, orderId, waybillId, staffId });
  const person = { mark, phone, email, userId, orderId, objectKeys };
  await addTraces(db, person, staffId);
  await plantMarks(db, person);
  return person;
}

async function addAccountThings(db: DataSource, userId: string, phone: string, offerId: string) {
  await db.query(
    `INSERT INTO addresses (user_id, first_name, last_name, phone, city, street, postal_code, is_default)
     VALUES ($1, '', '', $2, '', '', '', true)`,
    [userId, phone],
  );
  const [{ id: cartId }] = await db.query("INSERT INTO carts (user_id) VALUES ($1) RETURNING id", [userId]);
  await db.query("INSERT INTO cart_offers (cart_id, offer_id, quantity, seen_price_rub) VALUES ($1, $2, 1, 1)", [
    cartId,
    offerId,
  ]);
  await db.query(
    `INSERT INTO user_balance_history (user_id, delta, balance_before, balance_after, currency, reason)
     VALUES ($1, 5, 0, 5, 'RUB', 'OTHER')`,
    [userId],
  );
}

/** One that is made, and one that is being made. */
async function addDocuments(
  db: DataSource,
  store: ObjectStore,
  { mark, orderId, waybillId, staffId }: { mark: string; orderId: string; waybillId: string; staffId: string },
) {
  const objectKey = `documents/${mark}/order.pdf`;
  await store.put(objectKey, Buffer.from(`${mark} has ordered`), { contentType: "application/pdf" });
  const sql = `INSERT INTO documents (id, kind, format, parameters, file_name, requested_by, object_key, ready_at, job_id)
    VALUES ($1, $2, 'pdf', $3, $4, $5, $6, CASE WHEN $6::text IS NOT NULL THEN now() END, $7)`;
  const names = [`${mark}.pdf`, staffId] as const;
  await db.query(sql, [randomUUID(), "order", JSON.stringify({ id: orderId }), ...names, objectKey, null]);
  const documentId = randomUUID();
  const jobId = await db.transaction((tx) => enqueue(tx, renderDocument, { documentId }));
  await db.query(sql, [documentId, "waybill", JSON.stringify({ id: waybillId }), ...names, null, jobId]);
  return [objectKey];
}

/** What others have left behind that names the person: acts of staff, errors and results of jobs, kept answers. */
async function addTraces(db: DataSource, { mark, email, phone, orderId, userId }: Person, staffId: string) {
  const acts = [
    [`orders/${orderId}`, { first_name: mark }],
    ["orders", { contact: { email, phone, note: [mark] } }],
    ["orders", { phone, note: mark }],
    [`mail/suppressions/${encodeURIComponent(email)}?why=${mark}`, null],
    ...(userId ? [["waybills", { customer_id: userId, note: mark }] as const] : []),
  ] as const;
  for (const [path, payload] of acts) {
    const entry = {
      userId: staffId,
      method: "POST" as const,
      endpoint: `https://api.test/${path}`,
      payload,
      status: 201,
    };
    await auditLog.insert(db.manager, { ...entry, requestId: "r" });
    await db.transaction((tx) => auditLog.append(tx, { ...entry, requestId: "r" }));
  }
  const documentId = randomUUID();
  const jobId = await db.transaction((tx) => enqueue(tx, renderDocument, { documentId }));
  const at = "2026-01-02T03:04:05.678Z";
  const error = { name: "PermanentError", message: `'${email}' has no mailbox: ${mark}` };
  const attempt = { epoch: 1, worker: "w", started_at: at, ended_at: at, outcome: "failed", error };
  await db.query(
    `UPDATE job SET state = 'failed', finished_at = now(), last_error = $2, result = $3, attempts = $4, error_key = $5,
       cancellation = $6
     WHERE id = $1`,
    [
      ...[jobId, { ...error, at }, { answer: `250 <${email}> ${mark}` }, JSON.stringify([attempt]), mark],
      { at, by: staffId, reason: mark },
    ],
  );
  await db.query("DELETE FROM job_outbox WHERE job_id = $1", [jobId]);
  // Of no queue that there is, so that all go on.
  await db.query("INSERT INTO queue_pause (queue, paused_by, reason) VALUES ($1, $2, $3)", [
    ...[randomUUID(), staffId, `${email} has complained (${mark})`],
  ]);
  const keep = `INSERT INTO idempotency_key (scope, key, request_hash, status, body, headers, expires_at)
    VALUES ($1, $2, 'h', 201, $3, '{}', now() + interval '6 days')`;
  await db.query(keep, ["anonymous", randomUUID(), JSON.stringify({ id: orderId, first_name: mark })]);
  await db.query(keep, [staffId, randomUUID(), JSON.stringify({ email, first_name: mark })]);
  if (userId) await db.query(keep, [userId, randomUUID(), JSON.stringify({ street: mark })]);
}

/** Puts the mark into every column that an erasure has to empty, of every row that is the person's. */
async function plantMarks(db: DataSource, { mark, userId, email }: Person) {
  const types: { table: string; column: string; type: string }[] = await db.query(
    `SELECT table_name AS table, column_name AS column, data_type AS type FROM information_schema.columns
     WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb')`,
  );
  for (const [table, { rows, columns, traces }] of Object.entries(personalTables)) {
    if (traces !== undefined && table !== "mails") continue;
    for (const { column, type } of types.filter((one) => one.table === table)) {
      const definition = columns[column];
      if (!definition || "kept" in definition || ruled.has(`${table}.${column}`)) continue;
      const value =
        type === "jsonb" ? `t.${column} || jsonb_build_object('x', $3::text)` : `$3::text || t.${keyOf(table)}`;
      await db.query(
        `WITH person AS (SELECT $1::uuid, $2::text, $3::text) UPDATE ${table} t SET ${column} = ${value} WHERE ${rows}`,
        [userId, email.toLowerCase(), mark],
      );
    }
  }
}

const keyOf = (table: string) => Object.keys(personalTables[table]?.key ?? {}).at(-1);

/** Where any table still says one of these words, as `table: row`. */
export async function rowsWith(db: DataSource, words: readonly string[]): Promise<string[]> {
  const tables: { name: string }[] = await db.query(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows: { row: string }[] = await db.query(
      `SELECT row::text AS row FROM (SELECT to_jsonb(t)::text AS row FROM ${name} t) AS rows
       WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS word WHERE strpos(lower(row), lower(word)) > 0)`,
      [words],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}
