import { randomUUID } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { queueBooks } from "../../src/db/dao/queue-books.ts";
import { scalingRules } from "../../src/jobs/scaling.ts";
import { createAutoscaler } from "../../src/platform/autoscaler.ts";
import { watchFetching } from "../../src/platform/liveness.ts";
import { hasReady } from "../../src/platform/queue-load.ts";
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
  const readBooks = () => queueBooks.read(engine.db.manager);
  const { reports } = createAutoscaler({ queues: engine.queues, rules: scalingRules(), readBooks });
  const watched = watchFetching({
    fetching: [engine.worker.fetching],
    hasReady: async (queue) => hasReady((await reports())[queue].state),
    isStopping: () => false,
    limitMs: 1_000,
    lookMs: 50,
  });
  close = watched.close;
  return () => watched.checks()["fetch upkeep"];
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
  await vi.waitFor(() => expect(verdict()).toMatch(/no job of queue 'upkeep' was taken for \d+ s/), 15_000);
  expect(engine.worker.fetching.isRunning()).toBe(true);
  asked.mockRestore();
  answer(undefined);
  await vi.waitFor(() => expect([done, verdict()]).toEqual([[id], "ok"]), 15_000);
});
