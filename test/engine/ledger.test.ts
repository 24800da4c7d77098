import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Job } from "../../src/engine/job-entity.ts";
import {
  CancelledError,
  claimJobs,
  completeJob,
  type FailureCost,
  FencedError,
  finishJobs,
  lockClaim,
  releaseJob,
  renewLeases,
  reopenJobs,
} from "../../src/engine/ledger.ts";
import { enqueue, enqueueAll } from "../../src/engine/outbox.ts";
import { settleParents } from "../../src/engine/reconciler-store.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { NotFoundError } from "../../src/errors.ts";
import { processImage } from "../../src/jobs/process-image.ts";
import { cancelJob, retryJob } from "../../src/services/operations/job-control.ts";
import { useDatabase, useKeyedPool } from "../support/database.ts";
import { anAdmin } from "../support/operators.ts";

describe("the ledger", () => {
  const db = useDatabase();
  const pool = useKeyedPool(db);
  const payload = () => ({ entity: "category" as const, entityId: randomUUID(), imageId: randomUUID() });
  const promise = (one = payload()) => db.transaction((tx) => enqueue(tx, processImage, one));
  const find = (id: string) => db.manager.findOneByOrFail(Job, { id });
  const error = { name: "Error", message: "no", at: new Date().toISOString() };
  const failure = (cost: FailureCost) => ({ outcome: "failed" as const, cost, error, errorKey: "Error: no" });
  const outage = { outcome: "rescheduled" as const, cost: "none" as const, error: null, errorKey: null };
  const isWaiting = async (id: string) =>
    (await db.query("SELECT gen FROM job_outbox WHERE job_id = $1", [id])).map(({ gen }: { gen: number }) => gen);

  async function claim(id: string, leaseMs = 10_000) {
    const [result] = await claimJobs(db, pool(), [id], "test", leaseMs);
    return result;
  }
  async function claimed(id: string, leaseMs = 10_000) {
    const result = await claim(id, leaseMs);
    if (result?.outcome !== "claimed") throw new Error(`not claimed but ${result?.outcome}`);
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
    const claims = Array.from({ length: 4 }, (_, n) => claimJobs(db, pool(), [id, id], `w${n}`, 10_000));
    const results = (await Promise.all(claims)).flat();
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(["claimed", ...Array(7).fill("held")]);
    const held = results.find(({ outcome }) => outcome === "held");
    expect(held).toMatchObject({ waitMs: expect.closeTo(10_000, -4) });
  });

  test("a claim whose lease has run out goes to the next, and the first one's effect is rolled back", async () => {
    const id = await promise();
    const first = await claimed(id, -1);
    const second = await claimed(id);
    expect([second.epoch, second.crashes]).toEqual([first.epoch + 1, 1]);

    expect(await renewLeases(db, [first, second], 10_000)).toEqual(["lost", "held"]);
    expect(await releaseJob(db, first, failure("one"))).toBeUndefined();
    expect(await finishJobs(pool(), [first])).toEqual([undefined]);
    const marker = randomUUID();
    const late = db.transaction(async (tx) => {
      await tx.query("INSERT INTO categories (name, slug) VALUES ($1, $1)", [marker]);
      await completeJob(tx, first, null);
    });
    await expect(late).rejects.toBeInstanceOf(FencedError);
    expect(await db.query("SELECT 1 FROM categories WHERE name = $1", [marker])).toEqual([]);

    await db.transaction((tx) => completeJob(tx, second, { ok: true }));
    expect(await find(id)).toMatchObject({ state: "succeeded", result: { ok: true } });
    expect((await claim(id))?.outcome).toBe("finished");
    expect((await find(id)).attempts).toEqual([
      expect.objectContaining({
        epoch: 1,
        worker: expect.stringMatching(/^test \d+$/),
        outcome: "crashed",
        error: null,
      }),
    ]);
  });

  test("failures count up to the limit, outages do not count, and what cannot be mended ends at once", async () => {
    const id = await promise();
    for (let n = 0; n < 10; n++) expect(await releaseJob(db, await claimed(id), outage)).toBe("open");
    for (let n = 1; n < processImage.retry.attempts; n++) {
      expect(await releaseJob(db, await claimed(id), failure("one"))).toBe("open");
    }
    expect(await releaseJob(db, await claimed(id), failure("one"))).toBe("failed");
    expect(await find(id)).toMatchObject({ failures: 5, lastError: { message: "no" }, errorKey: "Error: no" });
    const { attempts } = await find(id);
    expect(attempts.map(({ outcome }) => outcome)).toEqual([
      ...Array(10).fill("rescheduled"),
      ...Array(5).fill("failed"),
    ]);
    expect(attempts.at(-1)).toMatchObject({ epoch: 15, error: { name: "Error", message: "no" } });

    const hopeless = await promise();
    expect(await releaseJob(db, await claimed(hopeless), failure("all"))).toBe("failed");
  });

  test("a job that does not exist is finished", async () => {
    expect(await claim(randomUUID())).toEqual({ outcome: "finished", job: null });
  });

  test("a row remembers the last twenty runs that went wrong", async () => {
    const id = await promise();
    for (let n = 0; n < 25; n++) await releaseJob(db, await claimed(id), outage);
    const { attempts } = await find(id);
    expect(attempts.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 20 }, (_, n) => n + 6));
  });

  test("many finish in one statement, and each is told whether it did", async () => {
    const ids = [await promise(), await promise(), await promise()];
    const results = await claimJobs(db, pool(), ids, "test", 10_000);
    const claims = results.map((result) => (result.outcome === "claimed" ? result.claim : undefined));
    await db.query("UPDATE job SET epoch = epoch + 1 WHERE id = $1", [ids[1]]);
    expect(
      await finishJobs(
        pool(),
        claims.filter((one) => one !== undefined),
      ),
    ).toEqual(["succeeded", undefined, "succeeded"]);
    expect((await find(String(ids[2]))).state).toBe("succeeded");
    expect((await find(String(ids[1]))).state).toBe("running");
  });

  describe("cancelling", () => {
    const operator = { ...anAdmin, reason: "not wanted" };
    const cancel = (id: string) => db.transaction((tx) => cancelJob(tx, id, operator));

    test("ends a job that waits, at once and off the outbox", async () => {
      const id = await promise();
      await cancel(id);
      expect(await find(id)).toMatchObject({
        state: "cancelled",
        cancellation: { by: anAdmin.id, reason: "not wanted" },
      });
      expect((await find(id)).finishedAt).toBeTruthy();
      expect(await isWaiting(id)).toEqual([]);
      expect((await claim(id))?.outcome).toBe("finished");
      await cancel(id);
    });

    test("tells a running job, which takes no further step and ends as cancelled", async () => {
      const id = await promise();
      const held = await claimed(id);
      await cancel(id);
      expect((await find(id)).state).toBe("running");
      expect(await renewLeases(db, [held], 10_000)).toEqual(["cancelled"]);
      await expect(db.transaction((tx) => lockClaim(tx, held))).rejects.toBeInstanceOf(CancelledError);
      expect(await releaseJob(db, held, failure("one"))).toBe("cancelled");
    });

    test("comes too late for a job that has ended", async () => {
      const id = await promise();
      await finishJobs(pool(), [await claimed(id)]);
      await expect(cancel(id)).rejects.toThrow(`Job '${id}' has succeeded already`);
      await expect(cancel(randomUUID())).rejects.toBeInstanceOf(NotFoundError);
    });

    test("is undone by a retry, with all attempts and under the next generation, once of twenty", async () => {
      const id = await promise();
      await cancel(id);
      const retries = Array.from({ length: 20 }, () => db.transaction((tx) => retryJob(tx, id, anAdmin)));
      const ended = await Promise.allSettled(retries);
      expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await find(id)).toMatchObject({
        state: "open",
        gen: 2,
        failures: 0,
        cancellation: null,
        finishedAt: null,
      });
      expect(await isWaiting(id)).toEqual([2]);
    });
  });

  describe("a job with children", () => {
    const children = (parentId: string, count: number) =>
      db.transaction((tx) => enqueueAll(tx, processImage, Array.from({ length: count }, payload), { parentId }));

    test("waits for them, and is over when the last one is", async () => {
      const parent = await promise();
      const held = await claimed(parent);
      const [first = "", second = ""] = await children(parent, 2);
      await db.transaction((tx) => completeJob(tx, held, { sent: 2 }));
      expect(await find(parent)).toMatchObject({ state: "waiting", finishedAt: null });
      await finishJobs(pool(), [await claimed(first)]);
      await settleParents(db.manager);
      expect((await find(parent)).state).toBe("waiting");
      await releaseJob(db, await claimed(second), failure("all"));
      await settleParents(db.manager);
      expect(await find(parent)).toMatchObject({
        state: "succeeded",
        result: { sent: 2, children: { succeeded: 1, failed: 1 } },
      });
    });

    test("waits for them as well when its own work is done without an effect", async () => {
      const parent = await promise();
      const [held, alone] = [await claimed(parent), await claimed(await promise())];
      const [child = ""] = await children(parent, 1);
      expect(await finishJobs(pool(), [held, alone])).toEqual(["waiting", "succeeded"]);
      expect(await find(parent)).toMatchObject({ state: "waiting", finishedAt: null, leaseUntil: null });
      await finishJobs(pool(), [await claimed(child)]);
      await settleParents(db.manager);
      expect(await find(parent)).toMatchObject({ state: "succeeded", gen: 2 });
      expect(await isWaiting(parent)).toEqual([2]);
    });

    test("takes those that are left along when it is cancelled", async () => {
      const parent = await promise();
      const held = await claimed(parent);
      const ids = await children(parent, 3);
      const running = await claimed(String(ids[0]));
      await db.transaction((tx) => completeJob(tx, held, null));
      await db.transaction((tx) => cancelJob(tx, parent, anAdmin));
      const states = await Promise.all([parent, ...ids].map(async (id) => (await find(id)).state));
      expect(states).toEqual(["cancelled", "running", "cancelled", "cancelled"]);
      expect(await releaseJob(db, running, outage)).toBe("cancelled");
    });

    test("takes the parts of its parts along as well, and no other job", async () => {
      const parent = await promise();
      const [child = ""] = await children(parent, 1);
      const [grandchild = ""] = await children(child, 1);
      const other = await promise();
      await db.transaction((tx) => cancelJob(tx, parent, anAdmin));
      const states = await Promise.all([parent, child, grandchild, other].map(async (id) => (await find(id)).state));
      expect(states).toEqual(["cancelled", "cancelled", "cancelled", "open"]);
      const outbox: { id: string }[] = await db.query("SELECT job_id AS id FROM job_outbox WHERE job_id = ANY($1)", [
        [parent, child, grandchild, other],
      ]);
      expect(outbox.map(({ id }) => id)).toEqual([other]);
    });

    test("that was cancelled is reopened with the parts that were cancelled with it, and with no others", async () => {
      const parent = await promise();
      const [first = "", second = "", unwanted = "", done = ""] = await children(parent, 4);
      const [grandchild = ""] = await children(first, 1);
      await finishJobs(pool(), [await claimed(done)]);
      await db.transaction((tx) => cancelJob(tx, unwanted, { ...anAdmin, reason: "not this one" }));
      await db.transaction((tx) => cancelJob(tx, parent, { ...anAdmin, reason: "a mistake" }));
      const all = [parent, first, second, unwanted, done, grandchild];
      const reopened = await db.transaction((tx) => reopenJobs(tx, [parent, done]));
      expect(reopened).toEqual([parent]);
      const states = await Promise.all(all.map(async (id) => (await find(id)).state));
      expect(states).toEqual(["open", "open", "open", "cancelled", "succeeded", "open"]);
      expect(await isWaiting(grandchild)).toEqual([2]);
    });

    test("that failed is reopened alone", async () => {
      const parent = await promise();
      const held = await claimed(parent);
      const [part = ""] = await children(parent, 1);
      await db.transaction((tx) => cancelJob(tx, part, anAdmin));
      await releaseJob(db, held, failure("all"));
      expect(await db.transaction((tx) => reopenJobs(tx, [parent]))).toEqual([parent]);
      expect((await find(part)).state).toBe("cancelled");
    });

    test("promises no more of them once it is cancelled", async () => {
      const parent = await promise();
      const held = await claimed(parent);
      await db.transaction((tx) => cancelJob(tx, parent, anAdmin));
      const page = db.transaction(async (tx) => {
        await lockClaim(tx, held);
        await enqueueAll(tx, processImage, [payload()], { parentId: parent });
      });
      await expect(page).rejects.toBeInstanceOf(CancelledError);
      expect(await db.manager.countBy(Job, { parentId: parent })).toBe(0);
    });
  });

  test("a transaction that loses a deadlock is run again, and the promise is said once, after the commit", async () => {
    const said: string[] = [];
    const transact = createTransact(db, (jobs) => void said.push(`${jobs.length} promised`));
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
    expect(said).toEqual(["1 promised", "1 promised"]);
  });
});
