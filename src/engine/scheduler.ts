import { Cron } from "croner";
import type { DataSource, EntityManager } from "typeorm";
import type { Log } from "../platform/logger.ts";
import { poll } from "../platform/poll.ts";
import { tryLock } from "../platform/postgres/locks.ts";
import type { AnyJob } from "./define-job.ts";
import { enqueue } from "./outbox.ts";
import { type ScheduleRow, scheduleRows } from "./schedule-rows.ts";
import type { Transact } from "./transaction.ts";

/** When the clock enqueues a job. */
export interface Schedule {
  /** Its row in `job_schedule`; never renamed. */
  name: string;
  /** Minute, hour, day, month, weekday; with six fields the first one is the second. */
  cron: string;
  /** The time zone of `cron`. */
  timeZone: string;
  /** A job of `defineScheduledJob`. */
  job: AnyJob;
  description: string;
}

/** By name of a schedule, a condition that is checked when a slot is due: false enqueues nothing. Absent: always. */
export type ScheduleConditions = Readonly<Record<string, (tx: EntityManager) => Promise<boolean>>>;

/** Returns the time. */
export type Clock = (tx: EntityManager) => Promise<Date>;

export interface SchedulerOptions {
  schedules: readonly Schedule[];
  conditions?: ScheduleConditions;
  transact: Transact;
  log: Log;
  signal: AbortSignal;
  /** Absent: the clock of Postgres, the same for all processes. */
  clock?: Clock;
}

/**
 * Enqueues the jobs of schedules until the signal. Any number of processes may run it: each slot is enqueued once. Of
 * several missed slots only the newest is; a new schedule begins with its next slot.
 */
export function startScheduler({ schedules, conditions, transact, clock, log, signal }: SchedulerOptions) {
  return poll({
    async look() {
      const promised = await transact({ actorId: null, traceId: null }, (tx) =>
        promiseDue(tx, schedules, conditions, clock),
      );
      for (const slot of promised) log.info(slot, "schedule is due");
      return false;
    },
    everyMs: 1_000,
    failure: "schedules could not be read; trying again",
    log,
    signal,
  });
}

/** What one pass has enqueued. */
export interface PromisedSlot {
  schedule: string;
  slot: Date;
  job: string;
}

/** One pass: enqueues due slots, unless another process does this now. */
export async function promiseDue(
  tx: EntityManager,
  schedules: readonly Schedule[],
  conditions: ScheduleConditions = {},
  clock: Clock = scheduleRows.now,
): Promise<PromisedSlot[]> {
  if (!(await tryLock(tx, "schedules"))) return [];
  await scheduleRows.recordSuccesses(tx);
  const rows = new Map((await scheduleRows.all(tx)).map((row) => [row.name, row]));
  const now = await clock(tx);
  const promised: PromisedSlot[] = [];
  for (const schedule of schedules) {
    const { name, job } = schedule;
    const row = rows.get(name);
    const [slot] = dueSlots(schedule, now, 1);
    if (!row) await scheduleRows.begin(tx, name, slot ?? now, now);
    else if (slot && slot > row.slot) {
      const isNeeded = conditions[name];
      if (isNeeded && !(await isNeeded(tx))) {
        await scheduleRows.skip(tx, name, slot);
        continue;
      }
      // A slot that was enqueued before has the same key, so this is the id of its job.
      const id = await enqueue(tx, job, { slot: slot.toISOString() });
      await scheduleRows.moveOn(tx, name, slot, id);
      promised.push({ schedule: name, slot, job: id });
    }
  }
  return promised;
}

/**
 * The newest moments at which a schedule was due at or before `now`, newest first. A time in a skipped hour is due
 * right after it; in a repeated hour a fixed time of day is due once, and "every hour" in both.
 */
export function dueSlots({ cron, timeZone }: Pick<Schedule, "cron" | "timeZone">, now: Date, count: number): Date[] {
  const pattern = new Cron(cron, { timezone: timeZone, paused: true, mode: "5-or-6-parts" });
  // The library excludes the moment that it is given.
  return pattern.previousRuns(count, new Date(now.getTime() + 1));
}

/** For each schedule by name, whether it has not succeeded for two periods. */
export async function staleSchedules(
  { manager }: Pick<DataSource, "manager">,
  schedules: readonly Schedule[],
  clock: Clock = scheduleRows.now,
): Promise<Record<string, boolean>> {
  const rows = new Map((await scheduleRows.all(manager)).map((row) => [row.name, row]));
  const now = await clock(manager);
  return Object.fromEntries(
    schedules.map((schedule) => [schedule.name, isStale(schedule, rows.get(schedule.name), now)]),
  );
}

function isStale(schedule: Schedule, row: ScheduleRow | undefined, now: Date) {
  const [, lastButOne] = dueSlots(schedule, now, 2);
  if (!row || !lastButOne) return false;
  return (row.succeededSlot ?? row.createdAt) < lastButOne;
}
