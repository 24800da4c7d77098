import { describe, expect, test } from "vitest";
import { desiredWorkers, type QueueLoad } from "../../../src/engine/scaling/desired-workers.ts";
import { scalingRules } from "../../../src/jobs/scaling.ts";

const rule = {
  goalSeconds: 60,
  minWorkers: 0,
  maxWorkers: 10,
  concurrency: 2,
  priorSeconds: 2,
  startSeconds: 5,
  graceSeconds: 30,
};
const idle: QueueLoad = {
  waiting: 0,
  prioritized: 0,
  delayedDue: 0,
  unpublished: 0,
  active: 0,
  activeSeconds: 0,
  completions: 0,
  busySeconds: 0,
  arrivalsPerSecond: 0,
  oldestReadyAgeSeconds: 0,
  workers: 0,
  isPaused: false,
  globalConcurrency: null,
  startsPerSecond: null,
  wanted: null,
};
const desired = (load: Partial<QueueLoad>, changes: Partial<typeof rule> = {}) =>
  desiredWorkers({ ...idle, ...load }, { ...rule, ...changes });
const count = (load: Partial<QueueLoad>, changes: Partial<typeof rule> = {}) => desired(load, changes).desiredWorkers;

describe("desiredWorkers", () => {
  test("wants no worker for an empty queue, and the required minimum", () => {
    expect(count({})).toBe(0);
    expect(count({}, { minWorkers: 2 })).toBe(2);
  });

  test.each(["waiting", "prioritized", "delayedDue", "unpublished", "active"] as const)(
    "wants a worker for a single job that is %s",
    (where) => {
      expect(count({ [where]: 1 })).toBe(1);
    },
  );

  test("keeps up with arrivals at four fifths of the slots", () => {
    // 2/s x 2 s / 0.8 = 5 slots.
    expect(count({ arrivalsPerSecond: 2, active: 4, ready: 0, waiting: 2 } as Partial<QueueLoad>)).toBe(3);
    expect(desired({ arrivalsPerSecond: 2, active: 4, waiting: 2 }).reason).toContain("2/s x 2 s / 0.8");
  });

  test("drains a backlog before the oldest job has waited for longer than the goal", () => {
    const backlog = { waiting: 100, completions: 98, busySeconds: 192 };
    // 100 x 1.96 s in 55 s = 3.6 slots.
    expect(count(backlog)).toBe(2);
    // ... in 25 s = 7.8 slots, and in no less than a quarter of the goal: 13.1 slots.
    expect(count({ ...backlog, oldestReadyAgeSeconds: 30 })).toBe(4);
    expect(count({ ...backlog, oldestReadyAgeSeconds: 45 })).toBe(7);
    expect(count({ ...backlog, oldestReadyAgeSeconds: 4_500 })).toBe(7);
  });

  test("never wants more slots than there are jobs", () => {
    expect(count({ waiting: 2, active: 1, arrivalsPerSecond: 50, oldestReadyAgeSeconds: 100 })).toBe(2);
  });

  test("learns from jobs that still run how long they take", () => {
    const before = desired({ waiting: 4, active: 8, activeSeconds: 0 });
    const after = desired({ waiting: 4, active: 8, activeSeconds: 8 * 40 });
    expect(before.serviceSeconds).toBe(2);
    expect(after.serviceSeconds).toBe(162);
    expect(after.desiredWorkers).toBeGreaterThan(before.desiredWorkers);
  });

  test("does not count what waits in a paused queue, and keeps the workers of what runs there", () => {
    expect(count({ waiting: 1_000, isPaused: true, arrivalsPerSecond: 20 })).toBe(0);
    expect(count({ waiting: 1_000, isPaused: true, arrivalsPerSecond: 20, active: 3 })).toBe(2);
    expect(desired({ waiting: 1_000, isPaused: true }).reason).toContain("paused");
  });

  test("wants no slots that a limit of the queue would leave idle", () => {
    const busy = { waiting: 1_000, completions: 998, busySeconds: 499, oldestReadyAgeSeconds: 60 };
    // 10 starts a second of 0.5 s each keep 5 slots busy.
    expect(count(busy)).toBe(10);
    expect(count({ ...busy, startsPerSecond: 10 })).toBe(3);
    expect(count({ ...busy, globalConcurrency: 4 })).toBe(2);
    expect(desired({ ...busy, globalConcurrency: 4 }).reason).toContain("the queue's concurrency: 4 slots");
  });

  test("keeps a worker for every long job that runs, so that scaling in starts none of them over", () => {
    const long = { active: 7, completions: 98, busySeconds: 98 * 20 };
    expect(count(long)).toBe(4);
    expect(count(long, { graceSeconds: 300 })).toBe(1);
  });

  test("says what it would be without the most, and stays below it", () => {
    const { desiredWorkers: workers, unclamped, reason } = desired({ waiting: 600 });
    expect([workers, unclamped]).toEqual([10, 11]);
    expect(reason).toContain("at most 10");
  });

  test("does as an operator wants, within least and most", () => {
    expect(count({ waiting: 600, wanted: 3 })).toBe(3);
    expect(count({ wanted: 99 })).toBe(10);
    expect(count({ waiting: 600, wanted: 0 }, { minWorkers: 1 })).toBe(1);
    expect(desired({ wanted: 3 }).reason).toContain("an operator wants 3; computed were 0");
  });
});

test("an installation changes the rules of single queues", () => {
  const rules = scalingRules({ images: { maxWorkers: 40 } });
  expect(rules.images).toMatchObject({ maxWorkers: 40, minWorkers: 1, concurrency: 2 });
  expect(rules.mail).toEqual(scalingRules().mail);
});
