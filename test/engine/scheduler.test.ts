import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { Job } from "../../src/engine/job-entity.ts";
import { measureSchedules } from "../../src/engine/metrics.ts";
import {
  dueSlots,
  promiseDue,
  type Schedule,
  type ScheduleConditions,
  staleSchedules,
  startScheduler,
} from "../../src/engine/scheduler.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import { schedules as ours } from "../../src/jobs/schedules.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { useDatabase } from "../support/database.ts";
import { testJob } from "../support/engine.ts";

const nightly: Schedule = {
  name: "nightly",
  cron: "0 3 * * *",
  timeZone: "Europe/Simferopol",
  job: testJob("nightly", { payload: z.object({ slot: z.iso.datetime() }), key: slotOf }),
  description: "For tests.",
};
function slotOf(payload: unknown) {
  return (payload as { slot: string }).slot;
}

const iso = (times: Date[]) => times.map((time) => time.toISOString());

describe("slots", () => {
  test("are at the time of day of the schedule's own time zone, the one that is just due among them", () => {
    const midnight = new Date("2026-11-25T00:00:00Z");
    expect(iso(dueSlots(nightly, midnight, 2))).toEqual(["2026-11-25T00:00:00.000Z", "2026-11-24T00:00:00.000Z"]);
    expect(iso(dueSlots(nightly, new Date(midnight.getTime() - 1), 1))).toEqual(["2026-11-24T00:00:00.000Z"]);
  });

  const berlin = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };

  test("come once on the day whose clock skips their hour", () => {
    expect(iso(dueSlots(berlin, new Date("2026-03-30T12:00:00Z"), 3))).toEqual([
      "2026-03-30T00:30:00.000Z",
      "2026-03-29T01:00:00.000Z",
      "2026-03-28T01:30:00.000Z",
    ]);
  });

  test("come once on the day whose clock has their hour twice", () => {
    expect(iso(dueSlots(berlin, new Date("2026-10-26T12:00:00Z"), 3))).toEqual([
      "2026-10-26T01:30:00.000Z",
      "2026-10-25T00:30:00.000Z",
      "2026-10-24T00:30:00.000Z",
    ]);
  });

  test("of every hour come in each hour there is, also when the clock changes", () => {
    const hourly = { cron: "0 * * * *", timeZone: "Europe/Berlin" };
    for (const day of ["2026-03-29", "2026-10-25"]) {
      const slots = dueSlots(hourly, new Date(`${day}T06:00:00Z`), 6).map((slot) => slot.getUTCHours());
      expect(slots).toEqual([6, 5, 4, 3, 2, 1]);
    }
  });

  test.each(ours)("of $name follow from a pattern that is understood, and its job takes them", (schedule) => {
    const [slot = new Date(Number.NaN), before = slot] = dueSlots(schedule, new Date("2026-11-25T12:00:00Z"), 2);
    expect((24 * 3_600_000) % (slot.getTime() - before.getTime())).toBe(0);
    const payload = schedule.job.payload.parse({ slot: slot.toISOString() });
    expect(schedule.job.key(payload)).toBe(slot.toISOString());
  });
});

describe("the scheduler", () => {
  const db = useDatabase();
  const origin = { actorId: null, traceId: null };
  const transact = createTransact(db, () => undefined);
  let now = new Date("2026-11-25T12:00:00Z");
  const clock = async () => now;
  const turn = (conditions: ScheduleConditions = {}, schedule = nightly) =>
    transact(origin, (tx) => promiseDue(tx, [schedule], conditions, clock));
  const jobs = () => db.manager.find(Job, { where: { kind: nightly.name }, order: { id: "ASC" } });
  const slots = async () => (await jobs()).map(({ payload }) => slotOf(payload));
  const end = (state: string, result: object | null = null) =>
    db.query("UPDATE job SET state = $1, finished_at = now(), result = $2 WHERE finished_at IS NULL", [state, result]);
  const isStale = async () => (await staleSchedules(db, [nightly], clock))[nightly.name];
  const at = (time: string) => {
    now = new Date(time);
  };

  beforeEach(async () => {
    await db.query("DELETE FROM job_schedule; DELETE FROM job_outbox; DELETE FROM job");
    at("2026-11-25T12:00:00Z");
  });

  test("begins a new schedule with its next slot", async () => {
    expect(await turn()).toEqual([]);
    at("2026-11-25T23:59:59Z");
    expect(await turn()).toEqual([]);
    at("2026-11-26T00:00:00Z");
    expect(await turn()).toEqual([
      { schedule: "nightly", slot: new Date("2026-11-26T00:00:00Z"), job: (await jobs())[0]?.id },
    ]);
    expect(await turn()).toEqual([]);
    expect(await slots()).toEqual(["2026-11-26T00:00:00.000Z"]);
  });

  test("promises nothing for a slot that is not needed, and does not call the schedule stale for that", async () => {
    let isNeeded = false;
    const asked = { [nightly.name]: async () => isNeeded };
    await turn(asked);
    for (const time of ["2026-11-26T10:00:00Z", "2026-11-27T10:00:00Z", "2026-11-28T10:00:00Z"]) {
      at(time);
      expect(await turn(asked)).toEqual([]);
    }
    expect(await isStale()).toBe(false);
    isNeeded = true;
    at("2026-11-29T10:00:00Z");
    expect(await turn(asked)).toHaveLength(1);
  });

  test("runs only the newest of the slots that were missed", async () => {
    await turn();
    at("2026-11-29T10:00:00Z");
    await turn();
    await turn();
    expect(await slots()).toEqual(["2026-11-29T00:00:00.000Z"]);
  });

  test("does not go back when the clock does", async () => {
    await turn();
    at("2026-11-27T10:00:00Z");
    await turn();
    at("2026-11-26T10:00:00Z");
    await turn();
    expect(await slots()).toEqual(["2026-11-27T00:00:00.000Z"]);
  });

  test("promises no slot again whose row was lost before its job", async () => {
    await turn();
    at("2026-11-26T10:00:00Z");
    await turn();
    await db.query("UPDATE job_schedule SET slot = '2026-11-25T00:00:00Z', job_id = NULL");
    await turn();
    expect(await slots()).toEqual(["2026-11-26T00:00:00.000Z"]);
  });

  test("promises each of 50 slots once while three processes look", { timeout: 30_000 }, async () => {
    const minutely: Schedule = { ...nightly, cron: "* * * * *" };
    const stop = new AbortController();
    const log = createLogger("silent", "test");
    await turn({}, minutely);
    const options = { transact, log, signal: stop.signal, schedules: [minutely], clock };
    const running = [1, 2, 3].map(() => startScheduler(options));
    const expected: string[] = [];
    for (let slot = 0; slot < 50; slot++) {
      now = new Date(now.getTime() + 60_000);
      expected.push(now.toISOString());
      // The loops look once in a second; more looks at the same moment are what the lock is for.
      await vi.waitFor(async () => {
        await Promise.all([turn({}, minutely), turn({}, minutely), turn({}, minutely)]);
        expect((await slots()).length).toBeGreaterThan(slot);
      }, 10_000);
    }
    stop.abort();
    await Promise.all(running);
    expect(await slots()).toEqual(expected);
    expect(await db.query("SELECT count(*)::int AS n FROM job_outbox")).toEqual([{ n: 50 }]);
  });

  test("goes by the clock of Postgres unless it is told another", async () => {
    const secondly: Schedule = { ...nightly, cron: "* * * * * *" };
    await vi.waitFor(async () => {
      const [promised] = await transact(origin, (tx) => promiseDue(tx, [secondly]));
      if (!promised) throw new Error("nothing was due");
      const [{ at: moment }] = await db.query("SELECT now() AS at");
      expect(moment.getTime() - promised.slot.getTime()).toBeLessThan(2_000);
    }, 5_000);
  });

  test("goes on when Postgres has failed it", async () => {
    const stop = new AbortController();
    let failures = 0;
    const failing: typeof transact = (...args) => {
      if (failures++ === 0) throw new Error("away");
      return transact(...args);
    };
    const log = createLogger("silent", "test");
    const running = startScheduler({ transact: failing, log, signal: stop.signal, schedules: [nightly], clock });
    await vi.waitFor(async () => expect(await db.query("SELECT name FROM job_schedule")).toHaveLength(1), 5_000);
    stop.abort();
    await running;
  });

  test("calls a schedule stale that has not succeeded for two periods, and no other", async () => {
    await turn();
    expect(await isStale()).toBe(false);
    at("2026-11-26T10:00:00Z");
    await turn();
    await end("failed");
    await turn();
    expect(await isStale()).toBe(false);
    at("2026-11-27T10:00:00Z");
    await turn();
    expect(await isStale()).toBe(true);
    await end("succeeded");
    await turn();
    expect(await isStale()).toBe(false);
    at("2026-11-28T10:00:00Z");
    expect(await isStale()).toBe(false);
    at("2026-11-29T10:00:00Z");
    expect(await isStale()).toBe(true);
  });

  test.each(["failed", "cancelled", "unknown"])("promises the next slot after a job that is %s", async (state) => {
    await turn();
    at("2026-11-26T10:00:00Z");
    await turn();
    await end(state);
    at("2026-11-27T10:00:00Z");
    await turn();
    expect((await jobs()).map((job) => job.state)).toEqual([state, "open"]);
  });

  test("does not count a job as a success whose children have failed", async () => {
    await turn();
    at("2026-11-26T10:00:00Z");
    await turn();
    await end("succeeded", { children: { succeeded: 1, failed: 1 } });
    await turn();
    const read = () => db.query("SELECT succeeded_slot FROM job_schedule");
    expect(await read()).toEqual([{ succeeded_slot: null }]);
    await db.query(`UPDATE job SET result = '{"children": {"succeeded": 2}}'`);
    await turn();
    expect(await read()).toEqual([{ succeeded_slot: new Date("2026-11-26T00:00:00Z") }]);
  });

  test("a stale schedule is a metric", async () => {
    const metrics = createMetrics();
    const stale = async () => ({ nightly: true, hourly: false });
    measureSchedules(metrics.registry, stale);
    const text = await metrics.registry.metrics();
    expect(text).toContain('jobs_schedule_stale{schedule="nightly"} 1');
    expect(text).toContain('jobs_schedule_stale{schedule="hourly"} 0');
  });

  test("promises nothing in a transaction that is rolled back", async () => {
    await turn();
    at("2026-11-26T10:00:00Z");
    const failing = transact(origin, async (tx) => {
      await promiseDue(tx, [nightly], {}, clock);
      throw new Error(randomUUID());
    });
    await expect(failing).rejects.toThrow();
    expect(await slots()).toEqual([]);
    await turn();
    expect(await slots()).toHaveLength(1);
  });
});
