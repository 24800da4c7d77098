import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { enqueueAll } from "../../src/engine/outbox.ts";
import { cancelJob } from "../../src/services/operations/job-control.ts";
import { testJob, useEngine } from "../support/engine.ts";
import { anAdmin } from "../support/operators.ts";

const quick = testJob("quick");
const endless = testJob("endless");
const stubborn = testJob("stubborn");
const late = testJob("late", { timeoutMs: 100, retry: { attempts: 2, backoffMs: 20, outageMs: 50 } });
const failing = testJob("failing");
const renamed = testJob("renamed", {
  version: 3,
  payload: z.object({ id: z.uuid(), title: z.string() }),
  upgrades: {
    1: (payload) => ({ ...(payload as object), name: "unknown" }),
    2: (payload) => {
      const { name, ...rest } = payload as { name: string };
      return { ...rest, title: name };
    },
  },
});
const newer = testJob("newer", { version: 2, upgrades: { 1: (payload) => payload } });
const parent = testJob("parent");
const child = testJob("child");
const counting = testJob("counting");
const shy = testJob("shy");

const seen: unknown[] = [];
const signals: AbortSignal[] = [];
const release = new AbortController();
const id = () => randomUUID();
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const byUs = { ...anAdmin, reason: "test" };

describe("a run of a job", () => {
  const engine = useEngine([quick, endless, stubborn, late, failing, renamed, parent, child, counting, shy], {
    run: {
      quick: async () => {},
      endless: async ({ signal }) => {
        signals.push(signal);
        await sleep(60_000, undefined, { signal });
      },
      // Looks at no signal, like an encoder in its thread.
      stubborn: () => untilReleased(),
      late: async ({ signal }) => sleep(5_000, undefined, { signal }),
      failing: async () => {
        throw new Error("Order 4711 of 'Ivan' is broken");
      },
      renamed: async ({ payload }) => void seen.push(payload),
      parent: async (job) => {
        const page = Array.from({ length: 20 }, () => ({ id: id() }));
        await job.commit((tx) => enqueueAll(tx, child, page, { parentId: job.id }));
      },
      child: async ({ signal }) => {
        await Promise.race([sleep(60_000, undefined, { signal, ref: false }), untilReleased()]);
      },
      shy: async (job, { db }) => {
        seen.push(job.payload.id);
        const [row] = await db.query("SELECT gen FROM job WHERE id = $1", [job.id]);
        if (row.gen < 3) await job.snooze(row.gen === 1 ? 0 : 600_000);
      },
      counting: async (job) => {
        for (let n = 1; n <= 1_000; n++) job.progress(n, 1_000);
        await vi.waitFor(
          async () => expect((await engine.find(job.id)).progress).toEqual({ done: 1_000, total: 1_000 }),
          10_000,
        );
      },
    },
  });
  const state = async (jobId: string) => (await engine.find(jobId)).state;
  const cancel = (jobId: string) => engine.transact(engine.origin, (tx) => cancelJob(tx, jobId, byUs));
  const untilState = (jobId: string, wanted: string, timeout = 5_000) =>
    vi.waitFor(async () => expect(await state(jobId)).toBe(wanted), { timeout, interval: 10 });

  test("that ends without a word has succeeded", async () => {
    const job = await engine.promise(quick, { id: id() });
    await untilState(job, "succeeded");
    expect(await engine.find(job)).toMatchObject({ failures: 0, attempts: [], result: null });
  });

  test.each([
    ["looks at its signal", endless],
    ["looks at nothing", stubborn],
  ])("that %s is cancelled before its work ends", async (_name, kind) => {
    const job = await engine.promise(kind, { id: id() });
    await untilState(job, "running");
    await cancel(job);
    await untilState(job, "cancelled");
    expect(await engine.find(job)).toMatchObject({ failures: 0, attempts: [{ outcome: "cancelled", error: null }] });
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  test("that takes too long counts as failed, and is tried again as often as its definition says", async () => {
    const job = await engine.promise(late, { id: id() });
    await untilState(job, "failed");
    expect(await engine.find(job)).toMatchObject({
      failures: 2,
      lastError: { name: "DeadlineError", message: "It took longer than 0.1 s" },
    });
  });

  test("that fails says so in the ledger, with what failures of one cause have in common", async () => {
    const job = await engine.promise(failing, { id: id() });
    await untilState(job, "failed");
    const { attempts, errorKey } = await engine.find(job);
    expect(errorKey).toBe("Error: Order <n> of <value> is broken");
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed"]);
  });

  test("gets a payload of an older version as the present one", async () => {
    const job = await engine.promise(renamed, { id: id(), title: "x" });
    await untilState(job, "succeeded");
    const old = id();
    const { transact, origin } = engine;
    const first = { ...renamed, version: 1, payload: z.object({ id: z.uuid() }), key: () => old };
    const oldJob = await transact(origin, async (tx) => (await enqueueAll(tx, first, [{ id: old }]))[0]);
    await untilState(String(oldJob), "succeeded");
    expect(seen.at(-1)).toEqual({ id: old, title: "unknown" });
  });

  test("of a kind or version that only newer code knows is put back and costs no attempt", async () => {
    const job = await engine.promise(newer, { id: id() });
    const future = await engine.promise({ ...quick, version: 2 }, { id: id() });
    for (const one of [job, future]) {
      await vi.waitFor(async () => expect((await engine.find(one)).attempts).toHaveLength(1), 10_000);
      expect(await engine.find(one)).toMatchObject({
        state: "open",
        failures: 0,
        attempts: [{ outcome: "rescheduled" }],
      });
    }
  });

  test("that is to go on later runs again then, and costs no attempt", async () => {
    const payload = { id: id() };
    const job = await engine.promise(shy, payload);
    await vi.waitFor(async () => expect((await engine.find(job)).gen).toBe(3), 10_000);
    expect(seen.filter((one) => one === payload.id)).toHaveLength(2);
    const deferred = await engine.find(job);
    expect(deferred).toMatchObject({ state: "open", failures: 0, crashes: 0, attempts: [], leaseUntil: null });
    expect(deferred.runAt.getTime()).toBeGreaterThan(Date.now() + 500_000);
    await engine.transact(engine.origin, (tx) => cancelJob(tx, job, byUs));
    expect((await engine.find(job)).state).toBe("cancelled");
  });

  test("says how far it is", async () => {
    const job = await engine.promise(counting, { id: id() });
    await untilState(job, "succeeded");
  });

  test("with children is over when they are, and a cancel stops those that are left", async () => {
    const job = await engine.promise(parent, { id: id() });
    await untilState(job, "waiting");
    await vi.waitFor(async () => expect(await statesOf(job)).toContain("running"), 10_000);
    await cancel(job);
    await vi.waitFor(async () => expect(new Set(await statesOf(job))).toEqual(new Set(["cancelled"])), 10_000);
    expect(await state(job)).toBe("cancelled");

    const other = await engine.promise(parent, { id: id() });
    await untilState(other, "waiting");
    release.abort();
    await untilState(other, "succeeded");
    expect((await engine.find(other)).result).toEqual({ children: { succeeded: 20 } });
  });

  async function statesOf(parentId: string): Promise<string[]> {
    const rows = await engine.db.query("SELECT state FROM job WHERE parent_id = $1", [parentId]);
    return rows.map(({ state: one }: { state: string }) => one);
  }

  function untilReleased() {
    return new Promise<void>((resolve) => {
      if (release.signal.aborted) resolve();
      release.signal.addEventListener("abort", () => resolve());
    });
  }
});

describe("a parent", () => {
  const part = testJob("part");
  const parents = ["returns", "commits", "completes", "reports"].map((name) => testJob(`parent-that-${name}`));
  const open = new Map<string, () => void>();
  const succeeded: string[] = [];
  const partOf = (job: { id: string }) => [part, [{ id: id() }], { parentId: job.id }] as const;
  const engine = useEngine([part, ...parents], {
    onSucceeded: async (payload) => void succeeded.push(payload.id),
    run: {
      part: ({ id: partId }) => new Promise((resolve) => open.set(partId, resolve)),
      "parent-that-returns": async (job) =>
        void (await engine.transact(engine.origin, (tx) => enqueueAll(tx, ...partOf(job)))),
      "parent-that-commits": (job) => job.commit((tx) => enqueueAll(tx, ...partOf(job))),
      "parent-that-completes": (job) => job.complete(async (tx) => void (await enqueueAll(tx, ...partOf(job)))),
      "parent-that-reports": async (job) => {
        await job.commit((tx) => enqueueAll(tx, ...partOf(job)));
        job.progress(1, 1);
      },
    },
  });
  const childOf = async (parentId: string) => {
    const [child] = await engine.db.query("SELECT id FROM job WHERE parent_id = $1", [parentId]);
    return String(child?.id);
  };

  test.each(parents)("$name waits for its part, and onSucceeded is called when both are over", async (kind) => {
    const payload = { id: id() };
    const job = await engine.promise(kind, payload);
    await vi.waitFor(async () => expect(open.has(await childOf(job))).toBe(true), 10_000);
    await vi.waitFor(async () => expect((await engine.find(job)).state).not.toBe("running"), 10_000);
    expect(await engine.find(job)).toMatchObject({ state: "waiting", finishedAt: null });
    // BullMQ has the run's answer only after `onSucceeded` would have been called.
    const queued = `${job}-1`;
    await vi.waitFor(async () => expect(await engine.queues.byName.maintenance.getJobState(queued)).toBe("completed"));
    expect(succeeded).not.toContain(payload.id);
    open.get(await childOf(job))?.();
    await vi.waitFor(() => expect(succeeded).toContain(payload.id), 10_000);
    expect(await engine.find(job)).toMatchObject({
      state: "succeeded",
      result: { children: { succeeded: 1 } },
      progress: kind.name === "parent-that-reports" ? { done: 1, total: 1 } : null,
    });
    expect(succeeded.filter((one) => one === payload.id)).toHaveLength(1);
  });
});

describe("one worker and many groups", () => {
  const grouped = testJob("grouped", {
    payload: z.object({ id: z.uuid(), group: z.string() }),
    group: (payload) => (payload as { group: string }).group,
  });
  /** In the order of their starts. */
  const started: string[] = [];
  const engine = useEngine([grouped], {
    concurrency: 4,
    run: {
      grouped: async ({ payload }) => {
        started.push(payload.id);
        await sleep(20);
      },
    },
  });
  const give = async (group: string, count: number) => {
    const payloads = Array.from({ length: count }, () => ({ id: id(), group }));
    await engine.transact(engine.origin, (tx) => enqueueAll(tx, grouped, payloads));
    return payloads.map((payload) => payload.id);
  };
  /** How many jobs of others start between the promise of ten and the last of them. */
  async function othersBefore(group: string) {
    const ids = await give(group, 10);
    const promisedAt = started.length;
    await vi.waitFor(() => expect(started).toEqual(expect.arrayContaining(ids)), { interval: 5 });
    return Math.max(...ids.map((one) => started.indexOf(one))) - promisedAt - ids.length + 1;
  }

  test("ten jobs of one take turns with ten thousand of another", { timeout: 60_000 }, async () => {
    const crowd = await give("crowd", 10_000);
    await vi.waitFor(() => expect(started.length).toBeGreaterThan(100));
    const others: number[] = [];
    for (let n = 0; n < 5; n++) others.push(await othersBefore(`beside-${n}`));
    // They take turns once they are published; before that the crowd has the worker to itself.
    expect(median(others), String(others)).toBeLessThan(100);
    expect(started.length, "the crowd is still waiting").toBeLessThan(crowd.length);
  });

  test("a crowd that is alone keeps the worker busy", async () => {
    const { maintenance } = engine.queues.byName;
    await vi.waitFor(async () => expect(await maintenance.getActiveCount()).toBe(4), { timeout: 10_000, interval: 5 });
    expect(await maintenance.getJobCountByTypes("wait", "prioritized")).toBeGreaterThan(0);
  });
});
