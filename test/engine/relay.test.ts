import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { enqueue, enqueueAll } from "../../src/engine/outbox.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { isRedisTrouble } from "../../src/platform/redis-errors.ts";
import { testJob, useEngine } from "../support/engine.ts";
import { useOwnRedis } from "../support/redis.ts";

const job = testJob("relayed");
const payload = () => ({ id: randomUUID() });

describe("the relay", () => {
  const ran: string[] = [];
  const engine = useEngine([job], { run: { relayed: async ({ id }) => void ran.push(id) } });
  const waiting = async () => (await engine.db.query("SELECT count(*)::int AS jobs FROM job_outbox"))[0].jobs;

  test("moves at once what this process promises, and strikes it off", async () => {
    const id = await engine.promise(job, payload());
    await vi.waitFor(() => expect(ran).toContain(id), { interval: 2 });
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
  });

  test("finds what another process promised and never offered", async () => {
    const silent = createTransact(engine.db, () => undefined);
    const id = await silent(engine.origin, (tx) => enqueue(tx, job, payload()));
    await vi.waitFor(() => expect(ran).toContain(id), 10_000);
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
  });

  test("keeps a job until it is due", async () => {
    const id = await engine.promise(job, payload(), { delayMs: 600 });
    const { runAt } = await engine.find(id);
    await vi.waitFor(() => expect(ran).toContain(id), { timeout: 3_000, interval: 5 });
    const { startedAt } = await engine.find(id);
    expect(Number(startedAt)).toBeGreaterThanOrEqual(Number(runAt));
  });

  test("moves nothing twice that a crash left on the outbox", async () => {
    const one = payload();
    const id = await engine.promise(job, one);
    await vi.waitFor(async () => expect((await engine.find(id)).state).toBe("succeeded"), 10_000);
    await engine.db.query(
      `INSERT INTO job_outbox (job_id, queue, kind, gen, priority, max_failures, run_at)
       SELECT id, queue, kind, gen, priority, max_failures, now() - interval '1 minute' FROM job WHERE id = $1`,
      [id],
    );
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
    await vi.waitFor(async () => {
      const counts = await engine.queues.byName.maintenance.getJobCounts("wait", "active", "prioritized");
      expect(Object.values(counts)).toEqual([0, 0, 0]);
    }, 10_000);
    expect(ran.filter((ranId) => ranId === id)).toHaveLength(1);
  });

  test("ends a job alone that its queue refuses, and moves the others", async () => {
    const queue = engine.queues.byName.maintenance;
    const add = queue.addBulk.bind(queue);
    const silent = createTransact(engine.db, () => undefined);
    let bad = "";
    const refusing = vi.spyOn(queue, "addBulk").mockImplementation(async (jobs) => {
      if (jobs.some(({ data }) => data.id === bad)) throw new Error("Priority should be between 0 and 2097151");
      return add(jobs);
    });
    const good = await silent(engine.origin, async (tx) => {
      bad = await enqueue(tx, job, payload());
      return enqueue(tx, job, payload());
    });
    await vi.waitFor(() => expect(ran).toContain(good), { timeout: 5_000 });
    await vi.waitFor(async () => expect((await engine.find(bad)).state).toBe("failed"), 10_000);
    expect((await engine.find(bad)).lastError?.message).toBe(
      "It cannot be put into its queue: Priority should be between 0 and 2097151",
    );
    refusing.mockRestore();
  });
});

describe("what Redis says when it is in trouble", () => {
  test.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", true],
    ["READONLY You can't write against a read only replica.", true],
    ["DENIED Redis is running in protected mode because protected mode is enabled", true],
    ["Connection is closed.", true],
    ["Command timed out", true],
    ["Reached the max retries per request limit (which is 1).", true],
    ["Stream isn't writeable and enableOfflineQueue options is false", true],
    ["Priority should be between 0 and 2097152", false],
    ["ERR value is not an integer", false],
  ])("%s", (message, expected) => {
    expect(isRedisTrouble(new Error(message))).toBe(expected);
  });
});

describe("when Redis loses its data", () => {
  const redis = useOwnRedis();
  const ran: string[] = [];
  const engine = useEngine([job], {
    redis,
    concurrency: 2,
    run: {
      relayed: async ({ id, signal }) => {
        ran.push(id);
        await new Promise((resolve) => setTimeout(resolve, 5));
        signal.throwIfAborted();
      },
    },
  });

  test("everything promised still happens, once", { timeout: 60_000 }, async () => {
    await engine.transact(engine.origin, (tx) => enqueueAll(tx, job, Array.from({ length: 400 }, payload)));
    await vi.waitFor(() => expect(ran.length).toBeGreaterThan(20), { timeout: 20_000, interval: 2 });
    await engine.queues.client.flushall();
    const done = async () => {
      const [row] = await engine.db.query("SELECT count(*)::int AS jobs FROM job WHERE state = 'succeeded'");
      return row.jobs;
    };
    await vi.waitFor(async () => expect(await done()).toBe(400), { timeout: 50_000, interval: 100 });
    expect([ran.length, new Set(ran).size]).toEqual([400, 400]);
    const generations = await engine.db.query("SELECT max(gen) AS gen FROM job");
    expect(generations[0].gen).toBeGreaterThan(1);
  });
});
