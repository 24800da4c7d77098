import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { firstPage, prunes } from "../../../src/db/prune.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { CancelledError } from "../../../src/engine/ledger.ts";
import { pruneLedger } from "../../../src/jobs/prune-ledger.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { cancelJob } from "../../../src/services/operations/job-control.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { pruneLedgerProcessor } from "../../../src/workers/processors/prune-ledger.ts";
import { useDatabase } from "../../support/database.ts";
import { startRun } from "../../support/job-run.ts";
import { anAdmin } from "../../support/operators.ts";
import { defaultRetention } from "../../support/retention.ts";

describe("prune-ledger", () => {
  const db = useDatabase();
  const metrics = createMetrics();
  const log = createLogger("silent", "test");
  const context = { retention: defaultRetention, metrics, log } as unknown as WorkerContext;
  const start = () => startRun(db, pruneLedger, { slot: new Date(Date.now() + Math.random() * 1e9).toISOString() });
  const prune = async () => {
    const started = await start();
    await pruneLedgerProcessor.run(started.run, context);
    return { progress: started.progress, result: (await started.find()).result };
  };

  /** A job that was promised and ended so many days ago; state null: it still runs. */
  async function addJob(daysAgo: number, state: string | null, parentId: string | null = null) {
    const [{ id }] = await db.query(
      `INSERT INTO job (id, queue, kind, payload, payload_v, max_failures, priority, state, created_at, finished_at, parent_id)
       SELECT uuid_v7(make_interval(days => -$1::int)), 'maintenance', 'old', '{}', 1, 1, 10, coalesce($2, 'running'),
         now() - make_interval(days => $1::int), CASE WHEN $2::text IS NOT NULL THEN now() - make_interval(days => $1::int) END, $3
       RETURNING id`,
      [daysAgo, state, parentId],
    );
    return String(id);
  }
  const left = async (...ids: string[]) => {
    const jobs = new Set((await db.manager.find(Job)).map(({ id }) => id));
    return ids.map((id) => jobs.has(id));
  };

  beforeEach(() =>
    db.query("DELETE FROM job_outbox; DELETE FROM job; DELETE FROM idempotency_key; DELETE FROM received_events"),
  );

  test("removes what succeeded more than 30 and what ended badly more than 180 days ago, and nothing else", async () => {
    const gone = [await addJob(31, "succeeded"), await addJob(181, "failed"), await addJob(200, "cancelled")];
    gone.push(await addJob(181, "unknown"));
    const kept = [await addJob(29, "succeeded"), await addJob(179, "failed"), await addJob(300, null)];
    const { result } = await prune();
    expect(await left(...gone)).toEqual([false, false, false, false]);
    expect(await left(...kept)).toEqual([true, true, true]);
    expect(result).toMatchObject({ jobs: 4, idempotency_keys: 0, received_events: 0, mail_links: 0 });
  });

  test("keeps a job that was promised long ago and has ended lately", async () => {
    const id = await addJob(100, "succeeded");
    await db.query("UPDATE job SET finished_at = now() - interval '1 day' WHERE id = $1", [id]);
    await prune();
    expect(await left(id)).toEqual([true]);
  });

  test("removes children and then their parent, but no child of a parent that could enqueue it again", async () => {
    const over = await addJob(40, "succeeded");
    const children = [await addJob(40, "succeeded", over), await addJob(40, "succeeded", over)];
    const failed = await addJob(40, "failed");
    const child = await addJob(40, "succeeded", failed);
    const waiting = await addJob(40, null);
    const another = await addJob(40, "succeeded", waiting);
    await prune();
    expect(await left(over, ...children)).toEqual([true, false, false]);
    await prune();
    expect(await left(over)).toEqual([false]);
    expect(await left(failed, child, waiting, another)).toEqual([true, true, true, true]);
  });

  test("keeps a parent as long as one of its children is kept", async () => {
    const parent = await addJob(40, "succeeded");
    const [good, bad] = [await addJob(40, "succeeded", parent), await addJob(40, "failed", parent)];
    await prune();
    expect(await left(parent, good, bad)).toEqual([true, false, true]);
  });

  test("keeps pictures, documents and mails of removed jobs", async () => {
    const jobId = await addJob(31, "succeeded");
    const ids = { image: randomUUID(), document: randomUUID(), mail: randomUUID() };
    await db.query(
      "INSERT INTO images (id, object_key, source_sha256, source_bytes, job_id) VALUES ($1, $2, 'x', 1, $3)",
      [ids.image, `images/${ids.image}`, jobId],
    );
    await db.query(
      "INSERT INTO documents (id, kind, format, file_name, job_id) VALUES ($1, 'price-list', 'csv', 'x', $2)",
      [ids.document, jobId],
    );
    await db.query("INSERT INTO mails (id, kind, recipient, job_id) VALUES ($1, 'price-list', 'a@test.example', $2)", [
      ids.mail,
      jobId,
    ]);
    await prune();
    for (const [table, id] of [
      ["images", ids.image],
      ["documents", ids.document],
      ["mails", ids.mail],
    ]) {
      expect(await db.query(`SELECT job_id FROM ${table} WHERE id = $1`, [id])).toEqual([{ job_id: null }]);
    }
  });

  test("goes through more than one batch, and says how far it is", async () => {
    await db.query(
      `INSERT INTO job (id, queue, kind, payload, payload_v, max_failures, priority, state, finished_at)
       SELECT uuid_v7(interval '-40 days'), 'maintenance', 'old', '{}', 1, 1, 10, CASE WHEN n % 5 = 0 THEN 'failed' ELSE 'succeeded' END,
         now() - interval '40 days' FROM generate_series(1, 2500) n`,
    );
    const { result, progress } = await prune();
    expect(result).toMatchObject({ jobs: 2_000 });
    expect(progress.length).toBeGreaterThanOrEqual(3);
    expect(progress.at(-1)).toEqual([2_000, null]);
    expect(await db.manager.countBy(Job, { kind: "old" })).toBe(500);
  });

  test("does not wait for a row that a transaction holds", async () => {
    const [held, free] = [await addJob(31, "succeeded"), await addJob(31, "succeeded")];
    await db.transaction(async (tx) => {
      await tx.query("SELECT 1 FROM job WHERE id = $1 FOR UPDATE", [held]);
      await prune();
    });
    expect(await left(held, free)).toEqual([true, false]);
  });

  test("removes expired answers and old received events in batches", async () => {
    await db.query(
      `INSERT INTO idempotency_key (scope, key, request_hash, expires_at)
       SELECT 'test', n::text, 'x', now() + (n - 1200) * interval '1 hour' - interval '1 minute' FROM generate_series(1, 1300) n`,
    );
    await db.query(
      `INSERT INTO received_events (source, event_id, created_at)
       SELECT 'test', n::text, now() - n * interval '1 day' FROM generate_series(1, 35) n`,
    );
    const { result } = await prune();
    expect(result).toMatchObject({ jobs: 0, idempotency_keys: 1_200, received_events: 6, mail_links: 0 });
    const metric = await metrics.registry.getSingleMetricAsString("retention_removed_total");
    expect(metric).toContain('retention_removed_total{line="idempotency_keys"} 1200');
  });

  test("forgets links that prove an address after a day, and nothing else that mails are made of", async () => {
    await db.query(
      `INSERT INTO mails (id, kind, recipient, parameters, created_at)
       SELECT gen_random_uuid(), 'verify-email', 'link' || n || '@test.example', '{"url": "https://x", "firstName": "A"}',
         now() - n * interval '23 hours' FROM generate_series(1, 3) n`,
    );
    expect((await prune()).result).toMatchObject({ mail_links: 2 });
    const rows = await db.query("SELECT parameters FROM mails WHERE recipient LIKE 'link%' ORDER BY recipient");
    expect(rows.map(({ parameters }: { parameters: object }) => Object.keys(parameters).sort())).toEqual([
      ["firstName", "url"],
      ["firstName"],
      ["firstName"],
    ]);
  });

  test("keeps what it has removed when it dies in between, and the run after that removes the rest", async () => {
    await db.query(
      `INSERT INTO received_events (source, event_id, created_at)
       SELECT 'test', n::text, now() - interval '31 days' FROM generate_series(1, 2500) n`,
    );
    const { run, find } = await start();
    let batches = 0;
    const dying: typeof run = {
      ...run,
      async commit(effect) {
        await run.commit(effect);
        const [{ left }] = await db.query("SELECT count(*)::int AS left FROM received_events");
        if (left < 2_500 && ++batches === 2) throw new Error("died");
      },
    };
    await expect(pruneLedgerProcessor.run(dying, context)).rejects.toThrow("died");
    expect(await db.query("SELECT count(*)::int AS left FROM received_events")).toEqual([{ left: 500 }]);
    await pruneLedgerProcessor.run(run, context);
    expect((await find()).result).toMatchObject({ received_events: 500 });
    expect(await db.query("SELECT FROM received_events")).toEqual([]);
  });

  test("stops between two batches when it is cancelled", async () => {
    const { run, find } = await start();
    await db.transaction((tx) => cancelJob(tx, run.id, anAdmin));
    const old = await addJob(31, "succeeded");
    await expect(pruneLedgerProcessor.run(run, context)).rejects.toThrow(CancelledError);
    expect((await find()).state).toBe("running");
    expect(await left(old)).toEqual([true]);
  });

  test("looks at jobs by their primary key, and for what refers to them by indexes", async () => {
    await db.query(
      `INSERT INTO job (id, queue, kind, payload, payload_v, max_failures, priority, state, finished_at)
       SELECT uuid_v7(interval '-1 day'), 'maintenance', 'new', '{}', 1, 1, 10, 'succeeded', now() FROM generate_series(1, 20000)`,
    );
    await db.query("ANALYZE job");
    await addJob(31, "succeeded");
    const plan = await db.transaction(async (tx) => {
      const explained: string[] = [];
      const asExplain = {
        query: async (sql: string, parameters: unknown[]) => {
          const rows: { "QUERY PLAN": string }[] = await tx.query(`EXPLAIN ${sql}`, parameters);
          explained.push(...rows.map((row) => row["QUERY PLAN"]));
          return [{ removed: 0, looked: 0, next: null }];
        },
      };
      await prunes.jobs(asExplain as unknown as typeof tx, { keep: defaultRetention, size: 1_000, after: firstPage });
      return explained.join("\n");
    });
    expect(plan).toContain("Index Only Scan Backward using job_pkey");
    expect(plan).not.toContain("Seq Scan on job");
  });
});
