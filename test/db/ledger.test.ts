import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Job } from "../../src/db/entities/job.ts";
import { claimJob, completeJob, FencedError, releaseJob, renewLease } from "../../src/db/ledger.ts";
import { enqueue, relayBatch } from "../../src/db/outbox.ts";
import { createTransact } from "../../src/db/transaction.ts";
import type { Dispatch } from "../../src/jobs/dispatch.ts";
import { processImage } from "../../src/jobs/process-image.ts";
import { useDatabase } from "../support/database.ts";

describe("the ledger", () => {
  const db = useDatabase();
  const payload = () => ({ entity: "category" as const, entityId: randomUUID(), imageId: randomUUID() });
  const promise = (one = payload()) => db.transaction((tx) => enqueue(tx, processImage, one));
  const find = (id: string) => db.manager.findOneByOrFail(Job, { id });
  const error = { name: "Error", message: "no", at: new Date().toISOString() };

  async function claimed(id: string, leaseMs = 10_000) {
    const result = await claimJob(db, id, "test", leaseMs);
    if (result.outcome !== "claimed") throw new Error(`not claimed but ${result.outcome}`);
    return result.claim;
  }

  test("a transaction that fails promises nothing", async () => {
    const before = await db.manager.count(Job);
    const failing = db.transaction(async (tx) => {
      await enqueue(tx, processImage, payload());
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await db.manager.count(Job)).toBe(before);
  });

  test("a second promise under the same key is the first one", async () => {
    const one = payload();
    const [first, second] = [await promise(one), await promise(one)];
    expect(second).toBe(first);
    const rows = await db.query("SELECT count(*)::int AS n FROM job_outbox WHERE job_id = $1", [first]);
    expect(rows).toEqual([{ n: 1 }]);
  });

  test("of many that claim a job at once, one gets it", async () => {
    const id = await promise();
    const results = await Promise.all(Array.from({ length: 8 }, (_, n) => claimJob(db, id, `w${n}`, 10_000)));
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(["claimed", ...Array(7).fill("held")]);
    const held = results.find(({ outcome }) => outcome === "held");
    expect(held).toMatchObject({ waitMs: expect.closeTo(10_000, -4) });
  });

  test("a claim whose lease has run out goes to the next, and the first one's effect is rolled back", async () => {
    const id = await promise();
    const first = await claimed(id, -1);
    const second = await claimed(id);
    expect([second.epoch, second.crashes]).toEqual([first.epoch + 1, 1]);

    expect(await renewLease(db, first, 10_000)).toBe(false);
    expect(await releaseJob(db, first, "one", error)).toBeUndefined();
    const marker = randomUUID();
    const late = db.transaction(async (tx) => {
      await tx.query("INSERT INTO categories (name, slug) VALUES ($1, $1)", [marker]);
      await completeJob(tx, first, null);
    });
    await expect(late).rejects.toBeInstanceOf(FencedError);
    expect(await db.query("SELECT 1 FROM categories WHERE name = $1", [marker])).toEqual([]);

    await db.transaction((tx) => completeJob(tx, second, { ok: true }));
    expect(await find(id)).toMatchObject({ state: "succeeded", result: { ok: true } });
    expect((await claimJob(db, id, "test", 1)).outcome).toBe("finished");
  });

  test("failures count up to the limit, outages do not count, and what cannot be mended ends at once", async () => {
    const id = await promise();
    for (let n = 0; n < 10; n++) expect(await releaseJob(db, await claimed(id), "none", null)).toBe("open");
    for (let n = 1; n < processImage.retry.attempts; n++) {
      expect(await releaseJob(db, await claimed(id), "one", error)).toBe("open");
    }
    expect(await releaseJob(db, await claimed(id), "one", error)).toBe("failed");
    expect(await find(id)).toMatchObject({ failures: 5, lastError: { message: "no" } });

    const hopeless = await promise();
    expect(await releaseJob(db, await claimed(hopeless), "all", error)).toBe("failed");
  });

  test("a job that does not exist is finished", async () => {
    expect(await claimJob(db, randomUUID(), "test", 1)).toEqual({ outcome: "finished", job: null });
  });

  describe("the outbox", () => {
    const drain = () => relayBatch(db, ["images"], 10_000, async () => undefined);

    test("hands out by priority, then by age, and only queues that are asked for", async () => {
      await drain();
      const bulk = await db.transaction((tx) => enqueue(tx, processImage, payload(), { priority: 100 }));
      const [first, second] = [await promise(), await promise()];
      expect(await relayBatch(db, ["other"], 10, async () => undefined)).toBe(0);
      const seen: Dispatch[] = [];
      await relayBatch(db, ["images"], 10, async (jobs) => void seen.push(...jobs));
      expect(seen.map(({ jobId }) => jobId)).toEqual([first, second, bulk]);
      expect((await find(first)).dispatchedAt).toBeTruthy();
      expect(await drain()).toBe(0);
    });

    test("keeps what could not be published", async () => {
      await drain();
      const id = await promise();
      const failing = relayBatch(db, ["images"], 10, () => Promise.reject(new Error("Redis is away")));
      await expect(failing).rejects.toThrow("Redis is away");
      expect(await find(id)).toMatchObject({ dispatchedAt: null });
      expect(await drain()).toBe(1);
    });

    test("gives each job to one of several relays", async () => {
      await drain();
      await db.transaction(async (tx) => {
        for (let n = 0; n < 300; n++) await enqueue(tx, processImage, payload());
      });
      const seen: string[] = [];
      const relay = async () => {
        while (
          (await relayBatch(db, ["images"], 7, async (jobs) => void seen.push(...jobs.map((one) => one.jobId)))) > 0
        );
      };
      await Promise.all([relay(), relay(), relay()]);
      expect([seen.length, new Set(seen).size]).toEqual([300, 300]);
    });
  });

  test("a transaction that loses a deadlock is run again, and the promise is said once, after the commit", async () => {
    const said: string[] = [];
    const transact = createTransact(db, () => said.push("promised"));
    const origin = { actorId: null, traceId: "t" };
    const names = [randomUUID(), randomUUID()];
    for (const name of names) await db.query("INSERT INTO categories (name, slug) VALUES ($1, $1)", [name]);
    const touch = (order: string[]) =>
      transact(origin, async (tx) => {
        for (const name of order) {
          await tx.query("UPDATE categories SET updated_at = now() WHERE name = $1", [name]);
          await tx.query("SELECT pg_sleep(0.1)");
        }
        return enqueue(tx, processImage, payload());
      });
    await Promise.all([touch(names), touch(names.toReversed())]);
    expect(said).toEqual(["promised", "promised"]);
  });
});
