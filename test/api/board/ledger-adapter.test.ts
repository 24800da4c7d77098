import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { createBoardActions } from "../../../src/api/board/board-actions.ts";
import { LedgerAdapter } from "../../../src/api/board/ledger-adapter.ts";
import { languages } from "../../../src/api/board/messages.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { enqueueAll } from "../../../src/engine/outbox.ts";
import { testJob, useEngine } from "../../support/engine.ts";
import { anAdmin } from "../../support/operators.ts";

describe("the board while jobs run", () => {
  const done: string[] = [];
  const slow = testJob("slow");
  const crowded = testJob("crowded", { group: () => "crowd" });
  const leaky = testJob("leaky", { retry: { attempts: 1, backoffMs: 20, outageMs: 50 } });
  const work = async (job: { payload: { id: string }; complete: (effect: () => Promise<void>) => Promise<void> }) => {
    await sleep(5);
    await job.complete(async () => undefined);
    done.push(job.payload.id);
  };
  const engine = useEngine([slow, crowded, leaky], {
    concurrency: 4,
    run: {
      slow: work,
      crowded: work,
      async leaky() {
        throw new Error("connect to postgres://tcf:s3cret@db.test/tcf failed");
      },
    },
  });

  test.each([
    ["empty", (adapter: LedgerAdapter) => adapter.empty()],
    ["obliterate", (adapter: LedgerAdapter) => adapter.obliterate()],
  ])("%s mid-run loses nothing silently: each job is done, or cancelled and not done", async (_name, act) => {
    done.length = 0;
    const boardActions = createBoardActions(engine, engine.queues);
    const adapter = new LedgerAdapter(engine.queues.byName.maintenance, {}, { boardActions, messages: languages.en });
    const ids: string[] = [];
    for (const job of [slow, crowded]) {
      const payloads = Array.from({ length: 300 }, () => ({ id: randomUUID() }));
      ids.push(...(await engine.transact(engine.origin, (tx) => enqueueAll(tx, job, payloads))));
    }
    await vi.waitFor(() => expect(done.length).toBeGreaterThan(20), { timeout: 10_000 });
    await boardActions.as({ operator: anAdmin, traceId: "a test", act: "clear" }, () => act(adapter));
    const unfinished = () => engine.db.query("SELECT id, state FROM job WHERE finished_at IS NULL");
    await vi.waitFor(async () => expect(await unfinished()).toEqual([]), { timeout: 20_000 });
    const states = await engine.db.query(
      "SELECT state, count(*)::int AS jobs FROM job WHERE id = ANY($1) GROUP BY state ORDER BY state",
      [ids],
    );
    const [cancelled, succeeded] = states;
    expect(states.map(({ state }: { state: string }) => state)).toEqual(["cancelled", "succeeded"]);
    expect(cancelled.jobs).toBeGreaterThan(300);
    expect(cancelled.jobs + succeeded.jobs).toBe(600);
    expect(new Set(done).size).toBe(done.length);
    expect(done).toHaveLength(succeeded.jobs);
    await vi.waitFor(async () => expect(await engine.queues.byName.maintenance.getActiveCount()).toBe(0), 10_000);
    expect(await engine.queues.byName.maintenance.getJobCountByTypes("wait", "prioritized", "delayed")).toBe(0);
  });

  test("shows neither payload nor password of a job that failed", async () => {
    const id = await engine.promise(leaky, { id: randomUUID() });
    await vi.waitFor(async () => expect((await engine.find(id)).state).toBe("failed"), { timeout: 10_000 });
    const queue = engine.queues.byName.maintenance;
    const bull = await vi.waitFor(async () => {
      const job = await queue.getJob(`${id}-1`);
      expect(await job?.getState()).toBe("failed");
      return job;
    }, 10_000);
    expect(bull?.data).toEqual({ id });
    expect(bull?.failedReason).toBe("connect to postgres://***@db.test/tcf failed");
    expect(JSON.stringify([bull, await engine.db.manager.findOneBy(Job, { id })])).not.toContain("s3cret");
  });
});
