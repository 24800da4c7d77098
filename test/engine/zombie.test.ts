import { randomUUID } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { watchFetching } from "../../src/engine/liveness.ts";
import { readOutboxStats } from "../../src/engine/outbox.ts";
import { createAutoscaler } from "../../src/engine/scaling/autoscaler.ts";
import { hasReady } from "../../src/engine/scaling/queue-load.ts";
import { scalingRules } from "../../src/jobs/scaling.ts";
import { testJob, useEngine } from "../support/engine.ts";

const done: string[] = [];
const job = testJob("be-done");
const engine = useEngine([job], {
  run: {
    "be-done": async ({ payload, complete }) => {
      await complete(async () => undefined);
      done.push(payload.id);
    },
  },
});
let close = () => {};
afterEach(() => close());

/** As src/workers/main.ts does, with less patience. */
function watch() {
  const readStats = () => readOutboxStats(engine.db.manager);
  const { reports } = createAutoscaler({ queues: engine.queues, rules: scalingRules(), readStats });
  const watched = watchFetching({
    fetching: [engine.worker.fetching],
    hasReady: async (queue) => {
      const report = (await reports())[queue];
      return report !== undefined && hasReady(report.state);
    },
    isStopping: () => false,
    limitMs: 1_000,
    lookMs: 50,
  });
  close = watched.close;
  return () => watched.checks()["fetch maintenance"];
}

test("a worker that lives and takes nothing is found while its jobs wait, and is well again once it takes them", async () => {
  const verdict = watch();
  const id = randomUUID();
  // Its next question to Redis is never answered, as on a connection that has slept through a failover.
  const bull = engine.worker.worker as unknown as { moveToActive: () => Promise<unknown>; waiting: unknown };
  // A question that is under way would be answered with the job.
  await vi.waitFor(() => expect(bull.waiting).toBeTruthy(), 10_000);
  let answer = (_nothing: unknown) => {};
  const silent = new Promise((resolve) => {
    answer = resolve;
  });
  const asked = vi.spyOn(bull, "moveToActive").mockReturnValue(silent);
  await engine.promise(job, { id });
  await vi.waitFor(() => expect(verdict()).toMatch(/no job of queue 'maintenance' was taken for \d+ s/), 15_000);
  expect(engine.worker.fetching.isRunning()).toBe(true);
  asked.mockRestore();
  answer(undefined);
  await vi.waitFor(() => expect([done, verdict()]).toEqual([[id], "ok"]), 15_000);
});
