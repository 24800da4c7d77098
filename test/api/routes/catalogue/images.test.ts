import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { images } from "../../../../src/db/dao/catalogue/images.ts";
import { Job } from "../../../../src/engine/job-entity.ts";
import { CancelledError } from "../../../../src/engine/ledger.ts";
import { settleParents } from "../../../../src/engine/reconciler-store.ts";
import { reprocessImages } from "../../../../src/jobs/reprocess-images.ts";
import { cancelJob } from "../../../../src/services/operations/job-control.ts";
import type { WorkerContext } from "../../../../src/workers/context.ts";
import { recipeVersion } from "../../../../src/workers/images/recipe.ts";
import { reprocessImagesProcessor } from "../../../../src/workers/processors/reprocess-images.ts";
import { call, objectKeys, sendCategory, useApi, useWorker } from "../../../support/api.ts";
import { useDatabase } from "../../../support/database.ts";
import { redPng } from "../../../support/images.ts";
import { startRun } from "../../../support/job-run.ts";
import { anAdmin } from "../../../support/operators.ts";

describe("POST /images/reprocess", () => {
  const api = useApi();
  useWorker(api);
  const headers = () => ({ authorization: `Bearer ${api.tokens.admin}` });
  const reprocess = (more = {}) =>
    call(`${api.url}/images/reprocess`, { method: "POST", headers: { ...headers(), ...more } });
  const categoryOf = async (id: string) => (await call(`${api.url}/categories/${id}`)).body;
  const jobOf = async (id: string) => (await call(`${api.url}/jobs/${id}`, { headers: headers() })).body;

  async function addPicture(width: number) {
    const { body } = await sendCategory(api, { name: `c ${randomUUID()}`, image: await redPng(width, 500) });
    await vi.waitFor(async () => expect((await categoryOf(body.id)).images.length).toBeGreaterThan(0), 15_000);
    const [row] = await api.db.query("SELECT image_id FROM categories WHERE id = $1", [body.id]);
    return { id: body.id, imageId: String(row.image_id) };
  }

  /** As if an older recipe had made it. */
  async function makeOld(imageId: string) {
    const image = await images.findById(api.db.manager, imageId);
    const variants = (image?.variants ?? []).map((variant) => ({
      ...variant,
      key: variant.key.replace(`${recipeVersion}-`, "r0-"),
    }));
    for (const [index, { key, type }] of variants.entries()) {
      await api.context.store.copy(String(image?.variants[index]?.key), key, { contentType: type });
    }
    await api.db.query("UPDATE images SET variants = $2 WHERE id = $1", [imageId, JSON.stringify(variants)]);
    return variants.map(({ key }) => key);
  }

  async function settled(id: string) {
    await vi.waitFor(
      async () => {
        await settleParents(api.db.manager);
        expect(["succeeded", "failed", "cancelled"]).toContain((await jobOf(id)).status);
      },
      { timeout: 20_000, interval: 100 },
    );
    return jobOf(id);
  }

  test("makes the pictures of an older recipe again, and leaves the others", { timeout: 60_000 }, async () => {
    const [old, current] = [await addPicture(700), await addPicture(800)];
    const oldKeys = await makeOld(old.imageId);
    const before = [await categoryOf(old.id), await categoryOf(current.id)];

    const { status, body, headers: answered } = await reprocess();
    expect([status, answered.get("location")]).toEqual([202, `https://api.test/jobs/${body.id}`]);
    const job = await settled(body.id);
    expect(job).toMatchObject({ status: "succeeded", result: { images: 2, children: { succeeded: 2 } } });

    const after = [await categoryOf(old.id), await categoryOf(current.id)];
    expect(after[1]?.images).toEqual(before[1]?.images);
    expect(after[0]?.images.map(({ width, type }) => [width, type])).toEqual(
      before[0]?.images.map(({ width, type }) => [width, type]),
    );
    expect(after[0]?.updated_at).not.toBe(before[0]?.updated_at);
    for (const { url } of after[0]?.images ?? []) {
      expect(url).toContain(`/${recipeVersion}-`);
      expect((await fetch(url)).status).toBe(200);
    }
    // A client that has the former addresses in a cache can still read them.
    expect(await objectKeys(api.s3)).toEqual(expect.arrayContaining(oldKeys));
    const remade = after[0]?.images;

    const again = await reprocess();
    await settled(again.body.id);
    expect((await categoryOf(old.id)).images).toEqual(remade);
  });

  test("does it once for one Idempotency-Key", async () => {
    const key = { "idempotency-key": randomUUID() };
    const [first, second] = [await reprocess(key), await reprocess(key)];
    expect([second.status, second.body.id]).toEqual([202, first.body.id]);
    expect(second.headers.get("location")).toBe(first.headers.get("location"));
  });
});

describe("reprocess-images", () => {
  const db = useDatabase();
  const context = { db } as unknown as WorkerContext;
  const start = () => startRun(db, reprocessImages, { runId: randomUUID() });
  const children = (parentId: string) => db.manager.findBy(Job, { parentId });
  const addImages = (count: number) =>
    db.query(
      `INSERT INTO images (id, object_key, source_sha256, source_bytes, published_at)
       SELECT gen_random_uuid(), 'images/' || gen_random_uuid(), 'x', 1, CASE WHEN n % 10 > 0 THEN now() END
       FROM generate_series(1, $1::int) n`,
      [count],
    );

  test("promises a child for each published picture, in a group of their own, and says how far it is", async () => {
    await addImages(1_300);
    const { run, progress, find } = await start();
    await reprocessImagesProcessor.run(run, context);
    const jobs = await children(run.id);
    expect(jobs).toHaveLength(1_170);
    expect(new Set(jobs.map(({ groupKey }) => groupKey))).toEqual(new Set([run.payload.runId]));
    expect(progress).toEqual([
      [500, 1_170],
      [1_000, 1_170],
      [1_170, 1_170],
    ]);
    expect(await find()).toMatchObject({ state: "waiting", result: { images: 1_170 } });
  });

  test("promises no child twice when it runs again after a crash", async () => {
    const { run } = await start();
    let pages = 0;
    const dying: typeof run = {
      ...run,
      async commit(effect) {
        if (++pages === 2) throw new Error("died");
        await run.commit(effect);
      },
    };
    await expect(reprocessImagesProcessor.run(dying, context)).rejects.toThrow("died");
    expect(await children(run.id)).toHaveLength(500);
    await reprocessImagesProcessor.run(run, context);
    expect(await children(run.id)).toHaveLength(1_170);
  });

  test("promises no more once it is cancelled, and what it has promised is cancelled", async () => {
    const { run, find } = await start();
    const cancelling: typeof run = {
      ...run,
      async commit(effect) {
        await run.commit(effect);
        await db.transaction((tx) => cancelJob(tx, run.id, { ...anAdmin, reason: "enough" }));
      },
    };
    await expect(reprocessImagesProcessor.run(cancelling, context)).rejects.toThrow(CancelledError);
    const jobs = await children(run.id);
    expect(jobs).toHaveLength(500);
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(["cancelled"]));
    expect((await find()).cancellation).toMatchObject({ reason: "enough" });
  });
});

describe("settling", () => {
  const db = useDatabase();
  async function family() {
    const { run, find } = await startRun(db, reprocessImages, { runId: randomUUID() });
    await db.query(
      `INSERT INTO job (id, queue, kind, payload, payload_v, max_failures, priority, state, parent_id)
       SELECT uuid_v7(), 'images', 'child', '{}', 1, 1, 10, 'running', $1 FROM generate_series(1, 2)`,
      [run.id],
    );
    const ids: { id: string }[] = await db.query("SELECT id FROM job WHERE parent_id = $1", [run.id]);
    return { run, find, children: ids.map(({ id }) => id) };
  }
  const end = (id: string, state: string) =>
    db.query("UPDATE job SET state = $2, finished_at = now() WHERE id = $1", [id, state]);

  test("ends each parent once, whichever of its last children and its own end comes first", async () => {
    for (let round = 0; round < 40; round++) {
      const { run, find, children } = await family();
      const settle = () => db.transaction((tx) => settleParents(tx));
      const states = ["succeeded", "failed"];
      await Promise.all([
        run.complete(async () => ({ own: 1 })),
        ...children.map((id, n) => end(id, String(states[n]))),
        settle(),
        settle(),
      ]);
      await settle();
      const { state, finishedAt, result } = await find();
      expect([state, finishedAt]).toEqual(["succeeded", expect.any(Date)]);
      expect(result).toMatchObject({ own: 1 });
    }
  });

  test("calls a parent cancelled that was cancelled while it ended its own work", async () => {
    const { run, find, children } = await family();
    await db.query("UPDATE job SET cancellation = '{}' WHERE id = $1", [run.id]);
    await run.complete(async () => undefined);
    for (const id of children) await end(id, "cancelled");
    await settleParents(db.manager);
    expect(await find()).toMatchObject({ state: "cancelled", result: { children: { cancelled: 2 } } });
  });
});
