import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { defineJob } from "../../src/engine/define-job.ts";
import type { Dispatch } from "../../src/engine/dispatch.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { createOutbox, enqueue, enqueueAll } from "../../src/engine/outbox.ts";
import { groupPauses, groupWeights } from "../../src/engine/queue-controls.ts";
import { processImage } from "../../src/jobs/process-image.ts";
import { useDatabase } from "../support/database.ts";

const job = defineJob({
  ...processImage,
  name: "grouped",
  payload: z.object({ n: z.int(), group: z.string() }),
  key: ({ n, group }) => `${group}-${n}`,
  entity: ({ n }) => ({ type: "test", id: String(n) }),
  group: ({ group }) => group,
});

describe("the outbox", () => {
  const db = useDatabase();
  const outbox = createOutbox(db, ["images"]);
  const payload = () => ({ entity: "category" as const, entityId: randomUUID(), imageId: randomUUID() });
  const promise = (options = {}) => db.transaction((tx) => enqueue(tx, processImage, payload(), options));
  const find = (id: string) => db.manager.findOneByOrFail(Job, { id });
  const none = async () => [];
  const collecting = (seen: Dispatch[]) => async (jobs: Dispatch[]) => {
    seen.push(...jobs);
    return [];
  };
  const finish = (ids: string[]) =>
    db.query("UPDATE job SET state = 'succeeded', finished_at = now() WHERE id = ANY($1)", [ids]);

  beforeEach(() => db.query("TRUNCATE job, job_outbox, job_in_flight CASCADE"));

  test("hands out by priority, then by age, and only queues that are asked for", async () => {
    const bulk = await promise({ priority: 100 });
    const [first, second] = [await promise(), await promise()];
    expect(await createOutbox(db, ["other"]).take(10, 0, none)).toBe(0);
    const seen: Dispatch[] = [];
    await outbox.take(10, 0, collecting(seen));
    expect(seen.map(({ jobId }) => jobId)).toEqual([first, second, bulk]);
    expect(await outbox.take(10, 0, none)).toBe(0);
  });

  test("leaves alone what was promised a moment ago, and what is not due", async () => {
    await promise();
    await promise({ delayMs: 60_000 });
    expect(await outbox.take(10, 30_000, none)).toBe(0);
    expect(await outbox.take(10, 0, none)).toBe(1);
  });

  test("keeps the groups that are paused, and no others", async () => {
    const payloads = ["held", "free"].map((group) => ({ n: 1, group }));
    const [held, free] = await db.transaction((tx) => enqueueAll(tx, job, payloads));
    await groupPauses.add(db.manager, { queue: "images", groupKey: "held", pausedBy: null });
    await groupPauses.add(db.manager, { queue: "mail", groupKey: "free", pausedBy: null });
    const seen: Dispatch[] = [];
    await outbox.takeFairShare(collecting(seen));
    expect(seen.map(({ jobId }) => jobId)).toEqual([free]);
    await db.query("UPDATE job_outbox SET run_at = now() + interval '1 hour' WHERE job_id = $1", [held]);
    await groupPauses.remove(db.manager, "images", "held");
    await outbox.takeFairShare(collecting(seen));
    expect(seen.map(({ jobId }) => jobId)).toEqual([free, held]);
  });

  test("keeps what could not be published", async () => {
    const id = await promise();
    const failing = outbox.take(10, 0, () => Promise.reject(new Error("Redis is unavailable")));
    await expect(failing).rejects.toThrow("Redis is unavailable");
    expect((await find(id)).state).toBe("open");
    expect(await outbox.take(10, 0, none)).toBe(1);
  });

  test("ends a job that cannot be published as failed, and moves the others", async () => {
    const ids = [await promise(), await promise()];
    await outbox.take(10, 0, async ([bad]) => (bad ? [{ job: bad, reason: "priority 9999999 is too large" }] : []));
    expect(await find(String(ids[0]))).toMatchObject({
      state: "failed",
      lastError: { message: "It cannot be put into its queue: priority 9999999 is too large" },
      errorKey: "UnpublishableError: It cannot be put into its queue: priority <n> is too large",
    });
    expect((await find(String(ids[1]))).state).toBe("open");
    expect(await outbox.take(10, 0, none)).toBe(0);
  });

  test("gives each job to one of several relays", async () => {
    await db.transaction((tx) => enqueueAll(tx, processImage, Array.from({ length: 300 }, payload)));
    const seen: Dispatch[] = [];
    const relay = async () => {
      while ((await outbox.take(7, 0, collecting(seen))) > 0);
    };
    await Promise.all([relay(), relay(), relay()]);
    expect([seen.length, new Set(seen.map(({ jobId }) => jobId)).size]).toEqual([300, 300]);
  });

  test("removes what was published, but not what was enqueued again since", async () => {
    const [first, second] = [await promise(), await promise()];
    const seen: Dispatch[] = [];
    const publishing = outbox.take(10, 0, async (jobs) => {
      seen.push(...jobs);
      throw new Error("only looking");
    });
    await expect(publishing).rejects.toThrow("only looking");
    await db.query("UPDATE job_outbox SET gen = 2 WHERE job_id = $1", [second]);
    await outbox.remove(seen);
    expect(await db.query("SELECT job_id FROM job_outbox")).toEqual([{ job_id: second }]);
    expect(first).toBeTruthy();
  });

  test("many promises in one statement are as many jobs, and known ones keep their ids", async () => {
    const one = payload();
    const known = await db.transaction((tx) => enqueue(tx, processImage, one));
    const ids = await db.transaction((tx) => enqueueAll(tx, processImage, [payload(), one, payload()]));
    expect(ids[1]).toBe(known);
    expect(new Set(ids).size).toBe(3);
    expect(await db.manager.count(Job)).toBe(3);
  });

  describe("with groups", () => {
    const give = (group: string, count: number) =>
      db.transaction((tx) =>
        enqueueAll(
          tx,
          job,
          Array.from({ length: count }, (_, n) => ({ n, group })),
        ),
      );
    const turn = async () => {
      const seen: Dispatch[] = [];
      await outbox.takeFairShare(collecting(seen));
      return seen;
    };

    test("is not swept by those who do not count turns", async () => {
      await give("a", 3);
      expect(await outbox.take(10, 0, none)).toBe(0);
    });

    test("is not held up by rows whose jobs are gone", async () => {
      const [lost, kept] = await give("a", 2);
      await db.query("DELETE FROM job WHERE id = $1", [lost]);
      expect((await turn()).map(({ jobId }) => jobId).sort()).toEqual([lost, kept].sort());
      expect(await db.query("SELECT job_id FROM job_in_flight")).toEqual([{ job_id: kept }]);
      expect(await turn()).toEqual([]);
    });

    test("keeps a group's crowd back, and lets the few of another go before it", async () => {
      await give("crowd", 1_000);
      const crowd = await turn();
      expect(crowd).toHaveLength(200);
      const few = await give("few", 10);
      const next = await turn();
      expect(next.map(({ jobId }) => jobId).sort()).toEqual([...few].sort());
      expect(next.map(({ priority }) => priority)).toEqual(Array.from({ length: 10 }, (_, n) => 10 + n));

      await finish(crowd.slice(0, 5).map(({ jobId }) => jobId));
      const later = await turn();
      expect(later).toHaveLength(5);
      // Behind all that the few have, before what is normal and not interactive.
      expect(new Set(later.map(({ priority }) => priority))).toEqual(new Set([49]));
    });

    test("gives equals equal shares of a batch", async () => {
      for (const group of ["a", "b", "c", "d", "e"]) await give(group, 150);
      const groupOf = new Map((await db.manager.find(Job)).map(({ id, groupKey }) => [id, groupKey]));
      const seen = await turn();
      expect(seen).toHaveLength(500);
      const groups = seen.map(({ jobId }) => groupOf.get(jobId));
      for (const group of ["a", "b", "c", "d", "e"]) expect(groups.filter((one) => one === group)).toHaveLength(100);
    });

    test("gives a group of weight 3 three turns where others have one, until it has its weight no more", async () => {
      for (const group of ["heavy", "light", "other"]) await give(group, 400);
      await db.transaction((tx) => groupWeights.set(tx, job.queue, "heavy", 3));
      const groupOf = new Map((await db.manager.find(Job)).map(({ id, groupKey }) => [id, groupKey]));
      const count = (seen: Dispatch[]) =>
        ["heavy", "light", "other"].map((group) => seen.filter(({ jobId }) => groupOf.get(jobId) === group).length);
      const first = await turn();
      expect(count(first)).toEqual([300, 100, 100]);
      // Fewer in flight than three times those of the others: its next one is as near as theirs.
      expect(new Set(first.map(({ priority }) => priority))).toEqual(
        new Set(Array.from({ length: 40 }, (_, n) => 10 + n)),
      );

      await db.transaction((tx) => groupWeights.set(tx, job.queue, "heavy", 1));
      expect(count(await turn())).toEqual([0, 100, 100]);
    });

    test("is shared out by one process at a time, each job once", async () => {
      await give("a", 150);
      await give("b", 150);
      const seen = (await Promise.all([turn(), turn(), turn(), turn()])).flat();
      expect(new Set(seen.map(({ jobId }) => jobId)).size).toBe(seen.length);
      expect(seen.length + (await turn()).length).toBe(300);
    });
  });
});
