import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { beforeAll, describe, expect, test } from "vitest";
import { auditLog } from "../../src/db/dao/audit/audit-log.ts";
import { firstPage, prunes } from "../../src/db/prune.ts";
import { type RetentionName, retentionNames } from "../../src/jobs/retention.ts";
import { userIds } from "../support/api.ts";
import { addBusiness, known } from "../support/business.ts";
import { useDatabase } from "../support/database.ts";
import { defaultRetention } from "../support/retention.ts";
import { addUser } from "../support/users.ts";

/** Lines that are about objects of the bucket; `collect-garbage` and its test have them. */
const ofBucket: RetentionName[] = ["price_lists", "stray_objects"];
/** A part of another line. */
const withJobs = "failed_jobs";
const by = (name: Line) => prunes[name === withJobs ? "jobs" : name];

type Line = keyof typeof prunes | typeof withJobs;

const db = useDatabase();

interface Sample {
  table: string;
  /** The column that tells rows apart. */
  key: string;
  /** Enters one row of this age in days, unfinished or still wanted if so said, and returns its key. */
  add(days: number, isWanted?: boolean): Promise<string>;
}

const insert = async (sql: string, values: unknown[]) => {
  const [row] = await db.query(sql, values);
  return String(Object.values(row)[0]);
};
const ago = (place: string) => `now() - ${place}::int * interval '1 day'`;
const addJob = (days: number, state: string) =>
  insert(
    `INSERT INTO job (id, queue, kind, payload, payload_v, max_failures, priority, state, finished_at)
     VALUES (uuid_v7($1::int * interval '-1 day'), 'maintenance', 'old', '{}', 1, 1, 10, $2,
       CASE WHEN $2 <> 'open' THEN ${ago("$1")} END) RETURNING id`,
    [days, state],
  );
const addDocument = (kind: string, requestedBy: string | null) => async (days: number, isWanted?: boolean) => {
  const jobId = isWanted ? await addJob(days, "open") : null;
  return insert(
    `INSERT INTO documents (id, kind, format, parameters, file_name, job_id, requested_by, created_at, ready_at, object_key)
     VALUES (gen_random_uuid(), $1, 'xml', '{"test": true}', 'x', $2, $3, ${ago("$4")},
       CASE WHEN $2::uuid IS NULL THEN ${ago("$4")} END, CASE WHEN $2::uuid IS NULL THEN 'documents/x' END) RETURNING id`,
    [kind, jobId, requestedBy, days],
  );
};
const offset = () => Math.floor(Math.random() * 1e9);

const samples: Record<Line, Sample> = {
  jobs: { table: "job", key: "id", add: (days, isWanted) => addJob(days, isWanted ? "open" : "succeeded") },
  failed_jobs: { table: "job", key: "id", add: (days, isWanted) => addJob(days, isWanted ? "open" : "failed") },
  events: {
    table: "events",
    key: "id",
    add: (days, isWanted) =>
      insert(
        `INSERT INTO events (id, type, entity_type, entity_id, data, fanned_out_at)
         VALUES (uuid_v7($1::int * interval '-1 day'), 'order.created', 'order', 'x', '{}', $2) RETURNING id`,
        [days, isWanted ? null : new Date()],
      ),
  },
  mails: {
    table: "mails",
    key: "id",
    add: async (days, isWanted) =>
      insert(
        `INSERT INTO mails (id, kind, recipient, job_id, created_at)
         VALUES (gen_random_uuid(), 'welcome', 'nina@test.example', $2, ${ago("$1")}) RETURNING id`,
        [days, isWanted ? await addJob(days, "open") : await addJob(days, "failed")],
      ),
  },
  mail_links: {
    table: "mails",
    key: "CASE WHEN parameters ? 'url' THEN id::text END",
    add: (days) =>
      insert(
        `INSERT INTO mails (id, kind, recipient, parameters, created_at)
         VALUES (gen_random_uuid(), 'verify-email', 'nina@test.example', '{"url": "https://x"}', ${ago("$1")}) RETURNING id`,
        [days],
      ),
  },
  mail_pace: {
    table: "mail_pace",
    key: "domain",
    add: (days) =>
      insert(`INSERT INTO mail_pace (domain, next_at) VALUES ($2, ${ago("$1")}) RETURNING domain`, [
        days,
        `d${offset()}.example`,
      ]),
  },
  mail_counts: {
    table: "mail_counts",
    key: "mailbox",
    add: (days) =>
      insert(
        `INSERT INTO mail_counts (span, act, mailbox, created_at)
         VALUES ('2026-11-22', 'guest-order', gen_random_uuid()::text, ${ago("$1")}) RETURNING mailbox`,
        [days],
      ),
  },
  bounces: {
    table: "mail_suppressions",
    key: "address",
    add: (days, isWanted) =>
      insert(
        `INSERT INTO mail_suppressions (address, reason, created_at) VALUES ($2, $3, ${ago("$1")}) RETURNING address`,
        [days, `${randomUUID()}@test.example`, isWanted ? "unsubscribed" : "bounce"],
      ),
  },
  audit: {
    table: "audit_log",
    key: "id",
    add: (days) =>
      insert(
        `INSERT INTO audit_log (user_id, method, endpoint, status, request_id, created_at)
         VALUES ($2, 'PATCH', 'https://api.test/x', 200, 'x', ${ago("$1")}) RETURNING id`,
        [days, userIds.employee],
      ),
  },
  carts: {
    table: "carts",
    key: "id",
    add: (days) =>
      insert(
        `INSERT INTO carts (user_id, status, created_at, updated_at)
         VALUES ($2, 'ABANDONED', now() - interval '9 years', ${ago("$1")}) RETURNING id`,
        [days, userIds.user],
      ),
  },
  documents: { table: "documents", key: "id", add: addDocument("order", userIds.user) },
  exports: { table: "documents", key: "id", add: addDocument("personal-data", userIds.user) },
  feeds: { table: "documents", key: "id", add: addDocument("feed", userIds.user) },
  pictures: {
    table: "images",
    key: "id",
    add: async (days, isWanted) => {
      const id = await insert(
        `INSERT INTO images (id, object_key, source_sha256, source_bytes, created_at, published_at)
         VALUES (gen_random_uuid(), gen_random_uuid()::text, 'x', 1, ${ago("$1")}, now()) RETURNING id`,
        [days],
      );
      if (isWanted) await db.query("UPDATE categories SET image_id = $1 WHERE id = $2", [id, known.category_id]);
      return id;
    },
  },
  idempotency_keys: {
    table: "idempotency_key",
    key: "key",
    add: (days) =>
      insert(
        `INSERT INTO idempotency_key (scope, key, request_hash, expires_at)
         VALUES ('test', gen_random_uuid()::text, 'x', ${ago("$1")} + interval '7 days') RETURNING key`,
        [days],
      ),
  },
  received_events: {
    table: "received_events",
    key: "event_id",
    add: (days) =>
      insert(
        `INSERT INTO received_events (source, event_id, created_at)
         VALUES ('test', gen_random_uuid()::text, ${ago("$1")}) RETURNING event_id`,
        [days],
      ),
  },
};

/** Removes page by page until there is nothing more, as the nightly job does. */
async function prune(name: Line, size = 1_000) {
  let removed = 0;
  for (let after: string | null = firstPage; after !== null; ) {
    const from: string = after;
    const page = await db.transaction((tx) => by(name)(tx, { keep: defaultRetention, size, after: from }));
    removed += page.removed;
    after = page.next;
  }
  return removed;
}

const left = async ({ table, key }: Sample) => {
  const rows: { key: string | null }[] = await db.query(`SELECT ${key}::text AS key FROM ${table}`);
  return new Set(rows.map((row) => row.key));
};

beforeAll(async () => {
  for (const id of [userIds.user, userIds.employee]) await addUser(db, { id });
  await addBusiness(db);
});

test("every line of the retention has something that removes it", () => {
  const known = [...Object.keys(prunes), ...ofBucket, withJobs];
  expect(known.sort()).toEqual([...retentionNames].sort());
  expect(Object.keys(samples).sort()).toEqual([...Object.keys(prunes), withJobs].sort());
});

describe.each(Object.entries(samples) as [Line, Sample][])("%s", (name, sample) => {
  const days = defaultRetention[name];

  test("go when they are older than they are kept, in batches, and others stay", async () => {
    const gone: string[] = [];
    for (let n = 1; n <= 5; n++) gone.push(await sample.add(days + n));
    const kept = [await sample.add(0), await sample.add(days - 1)];
    const wanted = await sample.add(days + 50, true);
    await prune(name, 2);
    const now = await left(sample);
    expect(gone.filter((key) => now.has(key))).toEqual([]);
    expect(kept.filter((key) => !now.has(key))).toEqual([]);
    if (sample.add.length > 1) expect(now.has(wanted)).toBe(true);
    expect(await prune(name, 2)).toBe(0);
  });

  test("are left alone while a transaction holds them, and found without reading the table", async () => {
    const held = await sample.add(days + 5);
    const plan = await db.transaction(async (tx) => {
      await tx.query("SET LOCAL enable_seqscan = off");
      return planOf(tx, name);
    });
    expect(plan.filter((line) => line.includes(`Seq Scan on ${sample.table}`))).toEqual([]);
    await db.transaction(async (holder) => {
      await holder.query(`SELECT 1 FROM ${sample.table} WHERE ${keyColumn(sample)} = $1 FOR UPDATE`, [held]);
      await db.transaction(async (tx) => {
        await tx.query("SET LOCAL lock_timeout = '200ms'");
        if (!unheld.has(name)) await by(name)(tx, { keep: defaultRetention, size: 10, after: firstPage });
      });
    });
    expect((await left(sample)).has(held)).toBe(true);
    await prune(name);
    expect((await left(sample)).has(held)).toBe(false);
  });
});

/** Whose rows no transaction holds for longer than a statement, so that a page may wait for them. */
const unheld = new Set<Line>(["mail_links", "mail_pace", "audit"]);
const keyColumn = ({ key }: Sample) => (key.startsWith("CASE") ? "id" : key);

async function planOf(tx: EntityManager, name: Line) {
  const plan: string[] = [];
  const asExplain = {
    query: async (sql: string, parameters: unknown[]) => {
      if (sql.includes("advisory")) return [];
      const rows: { "QUERY PLAN": string }[] = await tx.query(`EXPLAIN ${sql}`, parameters);
      plan.push(...rows.map((row) => row["QUERY PLAN"]));
      return [{ removed: 0, looked: 0, next: null }, 0];
    },
  };
  await by(name)(asExplain as unknown as EntityManager, { keep: defaultRetention, size: 10, after: firstPage });
  return plan;
}

test("the newest published document of its kind stays, however old", async () => {
  await db.query("DELETE FROM documents");
  const add = addDocument("feed", null);
  const [oldest, newer, newest] = [await add(900), await add(800), await add(700)];
  await prune("feeds");
  const now = await left(samples.feeds);
  expect([oldest, newer, newest].map((id) => now.has(id))).toEqual([false, false, true]);
});

test("a picture stays that an unfinished one would be replaced by again", async () => {
  const former = await samples.pictures.add(90);
  const unfinished = await insert(
    `INSERT INTO images (id, object_key, source_sha256, source_bytes, replaces_id)
     VALUES (gen_random_uuid(), gen_random_uuid()::text, 'x', 1, $1) RETURNING id`,
    [former],
  );
  await prune("pictures");
  expect((await left(samples.pictures)).has(former)).toBe(true);
  await db.query("UPDATE images SET published_at = now() WHERE id = $1", [unfinished]);
  await prune("pictures");
  expect((await left(samples.pictures)).has(former)).toBe(false);
});

test("the audit chain is whole when its oldest links are gone", async () => {
  const entry = {
    userId: userIds.employee,
    method: "POST" as const,
    endpoint: "https://api.test/x",
    payload: {},
    status: 200,
  };
  const append = () => db.transaction((tx) => auditLog.append(tx, { ...entry, requestId: "x" }));
  for (let n = 0; n < 5; n++) await append();
  const keep = { ...defaultRetention, audit: -1 };
  const page = await db.transaction((tx) => prunes.audit(tx, { keep, size: 3, after: firstPage }));
  expect(page.cutAfter).toMatchObject({ no: "3" });
  expect(await db.query("SELECT chain_no FROM audit_log WHERE chain_no IS NOT NULL ORDER BY 1")).toHaveLength(2);
  expect(await auditLog.firstBroken(db.manager)).toBeUndefined();
});

test("counters of mails of old days go", async () => {
  await db.query(`INSERT INTO mail_days (day, mails) SELECT current_date - n, 1 FROM unnest(ARRAY[0, 6, 8, 400]) n`);
  await prune("mail_pace");
  expect(await db.query("SELECT current_date - day AS age FROM mail_days ORDER BY day")).toEqual([
    { age: 6 },
    { age: 0 },
  ]);
});
