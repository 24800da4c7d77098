import { idInEndpoint } from "./dao/audit/timeline.ts";

/** What an erasure does with a column: sets another value (SQL), deletes it with its row, or keeps it, and why. */
export type Column = ({ becomes: string } | { goes: true } | { kept: string; isHidden?: true }) & {
  /** SQL of the part that an export shows; absent: all. */
  shownAs?: string;
};

export interface PersonalTable {
  /**
   * SQL that selects a person's rows `t`: those of the account `$1` (uuid or null), or of the contact address `$2` (in
   * lower case, or null) as far as no account has them. An export shows these.
   */
  rows: string;
  /** SQL of rows that are another account's and name the address `$2`: erased as well, and never shown. */
  mentions?: string;
  /** Its primary key: exports and erasures go in its order. Of several columns an export needs only the last one. */
  key: Readonly<Record<string, "uuid" | "text">>;
  columns: Readonly<Record<string, Column>>;
  /** Columns that lead to more data of the person while an erasure runs. */
  marks?: { id?: string; phone?: string };
  /**
   * SQL of the rows `t` that an erasure finds page by page, by the marks of the erasure `$1`, which began at `begun`.
   * Absent: it finds those of `rows`, at once.
   */
  traces?: string;
}

const kept = (why: string, ...names: string[]) => columns(names, { kept: why });
/** Not shown in an export: another person's data, or of no use to any reader. */
const hidden = (why: string, ...names: string[]) => columns(names, { kept: why, isHidden: true });
const becomes = (sql: string, ...names: string[]) => columns(names, { becomes: sql });
const goes = (...names: string[]) => columns(names, { goes: true });

function columns(names: readonly string[], column: Column) {
  return Object.fromEntries(names.map((name) => [name, column]));
}

/** As `becomes`, for a column of which an export shows a part. */
const becomesAndShows = (name: string, sql: string, shownAs: string) => ({ [name]: { becomes: sql, shownAs } });

/** Replaces an erased address; mails to it are suppressed (RFC 2606 keeps the domain from being real). */
export const erasedDomain = "erased.invalid";
const erasedAddress = `'erased@${erasedDomain}'`;
const erasedName = "'Удалено'";

const id = { id: "uuid" } as const;
const books = "what was sold for how much, and who owes what: book-keeping";
const when = "means nothing without the rest";
const technical = "leads to no person";
const staff = "another person's id: of staff";

const ofOrders = "(t.user_id = $1 OR t.user_id IS NULL AND lower(t.email) = $2)";
const orderIds = `SELECT t.id FROM orders t WHERE ${ofOrders}`;
const ofPayments = `(t.order_id IN (${orderIds}) OR t.credited_to = $1)`;
const ofWaybills = `(t.customer_id = $1 OR t.order_id IN (${orderIds}))`;
/** SQL of the address that the account `$1` has, in lower case, unless another active account has it by now. */
export const ownAddress = `(SELECT lower(email) FROM users account WHERE id = $1 AND NOT EXISTS (
  SELECT 1 FROM users other WHERE lower(other.email) = lower(account.email) AND other.id <> account.id
    AND other.is_active AND other.email_verified IS NOT FALSE))`;
const address = `coalesce($2, ${ownAddress})`;

const marked = (kind: string, value: string) =>
  `EXISTS (SELECT 1 FROM erasure_marks WHERE erasure_id = $1 AND kind = '${kind}' AND value = ${value})`;
const namedIn = (object: string) => `EXISTS (
  SELECT 1 FROM jsonb_each_text(${object}) AS named JOIN erasure_marks ON erasure_marks.value = named.value
  WHERE erasure_id = $1 AND erasure_marks.kind = 'id')`;
const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const idIn = (text: string) => `EXISTS (
  SELECT 1 FROM regexp_matches(${text}, '${uuid}', 'g') AS found (id) JOIN erasure_marks ON value = found.id[1]
  WHERE erasure_id = $1 AND kind = 'id')`;
/** An address may occur in a URL, too. */
const wordIn = (text: string) => `EXISTS (
  SELECT 1 FROM erasure_marks WHERE erasure_id = $1 AND kind IN ('address', 'phone')
    AND (strpos(lower(${text}), value) > 0 OR strpos(lower(${text}), replace(value, '@', '%40')) > 0))`;

const jobText = `coalesce(t.last_error::text, '') || coalesce(t.result::text, '') || t.attempts::text ||
  coalesce(t.cancellation::text, '') || t.payload::text || coalesce(t.error_key, '')`;
const auditText = "t.endpoint || coalesce(t.payload::text, '')";

/**
 * Everything that is stored about people, table by table, in the order of an erasure: what belongs to a row before that
 * row. Exports and erasures use this list; a test compares it, and the list of the other tables, with the schema.
 */
export const personalTables: Readonly<Record<string, PersonalTable>> = {
  mail_suppressions: {
    rows: `t.address = ${address}`,
    key: { address: "text" },
    columns: { ...hidden(staff, "created_by"), ...goes("address", "reason", "detail", "created_at") },
  },
  cart_offers: {
    rows: "t.cart_id IN (SELECT id FROM carts WHERE user_id = $1)",
    key: id,
    columns: goes(...["id", "cart_id", "offer_id", "quantity", "seen_price_rub", "created_at", "updated_at"]),
  },
  carts: {
    rows: "t.user_id = $1",
    key: id,
    columns: goes("id", "user_id", "status", "order_id", "created_at", "updated_at"),
    marks: { id: "id" },
  },
  user_balance_history: {
    rows: "t.user_id = $1",
    key: id,
    columns: kept(
      ...([books, "id", "user_id", "waybill_id", "payment_id", "refund_id", "delta", "balance_before"] as const),
      ...["balance_after", "currency", "reason", "created_at", "updated_at"],
    ),
  },
  refunds: {
    rows: `t.payment_id IN (SELECT t.id FROM payments t WHERE ${ofPayments})`,
    key: id,
    columns: {
      ...kept(books, "id", "payment_id", "amount_rub", "state", "waybill_id", "provider_reference", "finished_at"),
      ...kept(books, "created_at", "updated_at"),
      ...becomes("NULL", "reason", "failure"),
      ...hidden(staff, "created_by"),
    },
    marks: { id: "id" },
  },
  payments: {
    rows: ofPayments,
    key: id,
    columns: {
      ...kept(books, "id", "order_id", "method", "state", "amount_rub", "provider", "provider_reference"),
      ...kept(books, "original_order_id", "refunded_rub", "unmatched_reason", "credited_to"),
      ...kept(books, "paid_at", "refunded_at", "created_at", "updated_at"),
      ...becomes("NULL", "checkout_url", "failure"),
      ...hidden(staff, "created_by"),
    },
    marks: { id: "id" },
  },
  waybill_offers: {
    rows: `t.waybill_id IN (SELECT t.id FROM waybills t WHERE ${ofWaybills})`,
    key: id,
    columns: kept(
      ...([books, "id", "waybill_id", "offer_id", "brand", "manufacturer_number", "quantity", "price_rub"] as const),
      ...["created_at", "updated_at"],
    ),
  },
  waybills: {
    rows: ofWaybills,
    key: id,
    columns: {
      ...kept(books, "id", "customer_id", "order_id", "return_of", "waybill_type", "is_pending", "committed_at"),
      ...kept(books, "paper_year", "paper_number", "created_at", "updated_at"),
      ...becomes("NULL", "note"),
      ...hidden(staff, "author_id", "committed_by"),
    },
    marks: { id: "id" },
  },
  order_offers: {
    rows: `t.order_id IN (${orderIds})`,
    key: id,
    columns: kept(
      ...([books, "id", "order_id", "offer_id", "position", "brand", "manufacturer_number", "quantity"] as const),
      ...["price_rub", "created_at", "updated_at"],
    ),
  },
  orders: {
    rows: ofOrders,
    mentions: "t.user_id IS NOT NULL AND lower(t.email) = $2",
    key: id,
    columns: {
      ...kept(books, "id", "user_id", "by_guest", "status", "shipping_method", "created_at", "updated_at"),
      ...becomes("NULL", "address_id", "note", "country", "city", "address", "street", "house", "postal_code"),
      ...becomes("NULL", "shipping_company"),
      ...becomes(erasedName, "first_name", "last_name"),
      ...becomes(erasedAddress, "email"),
      ...becomes("'—'", "phone"),
    },
    marks: { id: "id", phone: "phone" },
  },
  addresses: {
    rows: "t.user_id = $1",
    key: id,
    columns: goes(
      ...["id", "user_id", "first_name", "last_name", "phone", "city", "street", "postal_code", "shipping_method"],
      ...["shipping_company", "is_default", "created_at", "updated_at"],
    ),
    marks: { id: "id", phone: "phone" },
  },
  users: {
    rows: "t.id = $1",
    key: id,
    columns: {
      ...kept(books, "id", "customer_type", "balance_rub", "balance_usd", "balance_eur", "balance_try"),
      ...kept(when, "created_at", "updated_at"),
      ...kept("keeps the account from being made again", "identity_updated_at"),
      // A different one for each: no two accounts have one address, and the person's is free again.
      ...becomes(`id || '@${erasedDomain}'`, "email"),
      ...becomes(erasedName, "first_name", "last_name"),
      ...becomes("NULL", "email_verified", "clerk_id", "phone", "city", "note", "shipping_method", "shipping_company"),
      ...becomes("'USER'", "role"),
      ...becomes("'ru'", "language"),
      ...becomes("false", "is_active", "mailing"),
      ...becomes("coalesce(erased_at, now())", "erased_at"),
    },
    // The erasure itself has the address.
    marks: { id: "id", phone: "phone" },
  },
  mails: {
    rows: `lower(t.recipient) = ${address}`,
    key: id,
    columns: {
      ...kept("that a mail of this kind was sent, and when", "id", "kind", "sent_at", "created_at"),
      ...becomes("CASE WHEN state IN ('queued', 'sending', 'retry') THEN 'suppressed' ELSE state END", "state"),
      ...hidden(technical, "job_id", "epoch", "tries", "sending_at", "slot_at", "smtp_code", "resend_of", "message_id"),
      ...becomes(erasedAddress, "recipient"),
      // The link that verifies an address is for the reader of its mails, not for the owner of an account with it.
      ...becomesAndShows("parameters", "'{}'", "t.parameters - 'url'"),
      ...becomes("'ru'", "language"),
      ...becomes("'erased:' || id", "send_key"),
      ...becomes("NULL", "server_answer", "resend_reason"),
    },
    // Mails to staff name an order only by its id, and a later mail to the same address is a new person's.
    traces: `t.kind <> 'order-received-staff' AND (
      ${namedIn("t.parameters")} OR t.created_at <= begun.at AND ${marked("address", "lower(t.recipient)")})`,
  },
  documents: {
    rows: "t.requested_by = $1",
    key: id,
    columns: {
      ...goes("id", "kind", "format", "parameters", "file_name", "bytes", "created_at", "ready_at", "notify"),
      ...goes("object_key", "content_type", "sha256", "job_id", "source_hash"),
      ...hidden("the person, or staff", "requested_by"),
    },
    // About the person, whatever user requested them; what the person requested about others, as staff, stays.
    traces: `t.created_at <= begun.at AND ${namedIn("t.parameters")}`,
  },
  audit_log: {
    rows: `${idInEndpoint} IN (SELECT $1::text UNION SELECT t.id::text FROM orders t WHERE ${ofOrders}
      UNION SELECT t.id::text FROM waybills t WHERE ${ofWaybills} UNION SELECT id::text FROM addresses WHERE user_id = $1)`,
    key: id,
    columns: {
      ...kept("what staff did, and that it was done", "id", "method", "status", "created_at", "updated_at"),
      ...hidden(staff, "user_id"),
      ...hidden(technical, "request_id", "chain_no", "chain_hash"),
      // By `auditLog.eraseContent`, which keeps the chain provable.
      ...becomes("its shape", "endpoint", "payload"),
      ...hidden("goes with the content", "chain_salt"),
    },
    traces: `(${idIn(auditText)} OR t.created_at <= begun.at AND ${wordIn(auditText)})`,
  },
  idempotency_key: {
    rows: "t.scope = $1::text",
    key: { scope: "text", key: "text" },
    columns: {
      ...kept("a repetition must do nothing; gone after seven days", "scope", "key", "request_hash", "status"),
      ...kept("a repetition must do nothing; gone after seven days", "headers", "expires_at"),
      ...becomes("without_person(replace(body, '\\u0000', '')::jsonb)::text", "body"),
    },
    traces: `t.body IS NOT NULL AND t.expires_at <= begun.at + interval '7 days' AND (
      ${marked("id", "t.scope")} OR ${idIn("t.body")} OR ${wordIn("t.body")})`,
  },
  job: {
    rows: "t.actor_id = $1",
    key: id,
    columns: {
      ...kept("what was done, by ids alone", "id", "kind", "state", "created_at", "started_at", "finished_at"),
      ...hidden(technical, "queue", "payload_v", "dedupe_key", "entity_type", "entity_id", "gen", "epoch", "failures"),
      ...hidden(technical, "max_failures", "crashes", "max_crashes", "priority", "run_at", "lease_until", "claimed_by"),
      ...hidden(technical, "actor_id", "trace_id", "group_key", "parent_id", "claimed_at", "progress", "ended_badly"),
      // A job that has yet to run needs the ids in there, and contains nothing else.
      ...becomes("CASE WHEN finished_at IS NULL THEN payload ELSE without_person(payload) END", "payload"),
      ...becomes("without_person(last_error)", "last_error"),
      ...becomes("without_person(result)", "result"),
      // Without the data for staff: the names of workers, and who cancelled it.
      ...becomesAndShows(
        "attempts",
        "without_person(attempts)",
        "(SELECT coalesce(jsonb_agg(one - 'worker'), '[]') FROM jsonb_array_elements(t.attempts) AS one)",
      ),
      ...becomesAndShows("cancellation", "without_person(cancellation)", "t.cancellation - 'by'"),
      ...becomes("CASE WHEN error_key IS NOT NULL THEN 'erased' END", "error_key"),
    },
    traces: `t.created_at <= begun.at AND ${wordIn(jobText)}`,
  },
  queue_pause: {
    // Of staff; an erasure searches the text for the person.
    rows: "false",
    key: { queue: "text" },
    columns: {
      ...kept("that staff paused the queue, and when", "queue", "paused_at"),
      ...hidden(staff, "paused_by"),
      ...becomes(erasedName, "reason"),
    },
    traces: `${idIn("t.reason")} OR t.paused_at <= begun.at AND ${wordIn("t.reason")}`,
  },
  erasures: {
    rows: "t.user_id = $1",
    key: id,
    columns: {
      ...kept("the proof that it was done, and why", "id", "user_id", "reason", "counts"),
      ...kept("the proof that it was done, and why", "begun_at", "created_at", "finished_at"),
      ...hidden(staff, "requested_by", "endpoint", "job_id"),
      ...hidden("deleted at the end of the erasure", "address"),
    },
    traces: "false",
  },
};

/** Tables without data about customers, and why. */
export const impersonalTables: Readonly<Record<string, string>> = {
  audit_anchor: "where the audit chain was cut, a number and a hash",
  categories: "the catalogue",
  erasure_marks: "emptied by the erasure that fills it",
  events: "only ids and states; 30 days",
  invoices: "numbers of invoices and their orders, by id",
  images: "pictures of goods, which staff uploads; originals are removed when they are published",
  job_group_pause: "whose newsletter is paused, by id",
  job_group_weight: "a setting",
  job_in_flight: "ids of jobs",
  job_outbox: "ids of jobs",
  job_schedule: "when schedules were due",
  mail_counts: "hashes of mailboxes, for two days",
  mail_days: "how many mails went out on a day",
  mail_pace: "domains of mail servers and when the next mail may go there",
  migrations: "names of migrations",
  offers: "the catalogue",
  offer_search: "the catalogue",
  product_search: "the catalogue",
  products: "the catalogue",
  deleted_users: "ids that the identity provider has deleted, so that they cannot return; kept for good",
  received_events: "ids that other systems gave to their messages; 30 days",
  stock_movements: "goods; who booked them, by id",
  stray_object: "names of files that are removed tomorrow",
  sub_categories: "the catalogue",
  webhook_endpoints: "addresses of programs; who entered them, by id",
};
