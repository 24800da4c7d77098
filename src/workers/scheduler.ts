import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, EntityManager } from "typeorm";
import { type JobScheduleRow, jobSchedules } from "../db/dao/job-schedules.ts";
import type { Transact } from "../db/transaction.ts";
import type { Log } from "../platform/logger.ts";
import { dueSlots, schedules as ourSchedules, promiseSlot, type Schedule } from "./schedules.ts";

const turnMs = 1_000;

export interface SchedulerOptions {
  db: DataSource;
  transact: Transact;
  log: Log;
  signal: AbortSignal;
  /** All of ours when absent. */
  schedules?: readonly Schedule[];
  /** Absent: the clock of Postgres, the same for all processes. */
  clock?: (tx: EntityManager) => Promise<Date>;
}

/**
 * Promises the jobs of schedules until told to stop. Any number of processes may do so: each slot is promised once. Of
 * several slots that were missed only the newest is; a schedule that is new begins with its next slot.
 */
export async function startScheduler({ transact, log, signal, ...options }: SchedulerOptions): Promise<void> {
  const { schedules = ourSchedules, clock = jobSchedules.now } = options;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      const promised = await transact({ actorId: null, traceId: null }, (tx) => promiseDue(tx, schedules, clock));
      for (const slot of promised) log.info(slot, "schedule is due");
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, "schedules could not be looked at; it is tried again");
      isFailing = true;
    }
    // Not all processes at the same moment.
    await sleep(turnMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
  }
}

/** What one turn has promised. */
export interface PromisedSlot {
  schedule: string;
  slot: Date;
  job: string;
}

/** One turn: promises what is due, unless another process is at it just now. */
export async function promiseDue(
  tx: EntityManager,
  schedules: readonly Schedule[],
  clock: (tx: EntityManager) => Promise<Date> = jobSchedules.now,
): Promise<PromisedSlot[]> {
  if (!(await jobSchedules.lock(tx))) return [];
  await jobSchedules.noteSuccesses(tx);
  const rows = new Map((await jobSchedules.all(tx)).map((row) => [row.name, row]));
  const now = await clock(tx);
  const promised: PromisedSlot[] = [];
  for (const schedule of schedules) {
    const { name } = schedule;
    const row = rows.get(name);
    const [slot] = dueSlots(schedule, now, 1);
    if (!row) await jobSchedules.begin(tx, name, slot ?? now, now);
    else if (slot && slot > row.slot) {
      if (schedule.isNeeded && !(await schedule.isNeeded(tx))) {
        await jobSchedules.skip(tx, name, slot);
        continue;
      }
      const job = await promiseSlot(tx, schedule, slot);
      await jobSchedules.moveOn(tx, name, slot, job);
      promised.push({ schedule: name, slot, job });
    }
  }
  return promised;
}

/** Of each schedule by name, whether it has not succeeded for two periods. */
export async function staleSchedules(
  { manager }: Pick<DataSource, "manager">,
  schedules: readonly Schedule[] = ourSchedules,
  clock: (tx: EntityManager) => Promise<Date> = jobSchedules.now,
): Promise<Record<string, boolean>> {
  const rows = new Map((await jobSchedules.all(manager)).map((row) => [row.name, row]));
  const now = await clock(manager);
  return Object.fromEntries(
    schedules.map((schedule) => [schedule.name, isStale(schedule, rows.get(schedule.name), now)]),
  );
}

function isStale(schedule: Schedule, row: JobScheduleRow | undefined, now: Date) {
  const [, lastButOne] = dueSlots(schedule, now, 2);
  if (!row || !lastButOne) return false;
  return (row.succeededSlot ?? row.createdAt) < lastButOne;
}
