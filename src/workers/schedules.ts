import { Cron } from "croner";
import type { EntityManager } from "typeorm";
import { enqueue } from "../db/outbox.ts";
import { collectGarbage } from "../jobs/collect-garbage.ts";
import type { AnyJob } from "../jobs/define-job.ts";
import { digestLowStock } from "../jobs/digest-low-stock.ts";
import { pruneLedger } from "../jobs/prune-ledger.ts";
import { publishFeed } from "../jobs/publish-feed.ts";
import { publishPriceList } from "../jobs/publish-price-list.ts";
import { businessTimeZone } from "../services/business-day.ts";
import { isFeedOutdated } from "../services/documents.ts";

/** A job that is due again and again. */
export interface Schedule {
  /** Its row in `job_schedule`; never renamed. */
  name: string;
  /** Minute, hour, day, month, weekday; with six fields the first one is the second. */
  cron: string;
  /** Whose clock `cron` is about. */
  timeZone: string;
  /** Its key has to follow from the slot, so that a slot has one job. */
  job: AnyJob;
  payload: (slot: Date) => unknown;
  /** Asked when a slot is due: false, and nothing is promised for it. Absent: always. */
  isNeeded?: (tx: EntityManager) => Promise<boolean>;
  description: string;
}

const slotOnly = (slot: Date) => ({ slot: slot.toISOString() });

/** Everything that happens by the clock. */
export const schedules: readonly Schedule[] = [
  {
    name: "price-list",
    cron: "5 0 * * *",
    timeZone: businessTimeZone,
    job: publishPriceList,
    payload: slotOnly,
    description: "The public price list of the new day, which the warehouse and the mails link to.",
  },
  {
    name: "feed",
    // However many changes come in between, they make one feed.
    cron: "*/5 * * * *",
    timeZone: businessTimeZone,
    job: publishFeed,
    payload: slotOnly,
    isNeeded: isFeedOutdated,
    description: "The Yandex feed, when the catalogue has changed.",
  },
  {
    name: "feed-nightly",
    cron: "10 0 * * *",
    timeZone: businessTimeZone,
    job: publishFeed,
    payload: slotOnly,
    description: "The Yandex feed, whatever has happened.",
  },
  {
    name: "low-stock",
    cron: "0 8 * * *",
    timeZone: businessTimeZone,
    job: digestLowStock,
    payload: slotOnly,
    description: "Staff is told what was nearly sold out in the day before.",
  },
  {
    name: "prune-ledger",
    cron: "30 2 * * *",
    timeZone: businessTimeZone,
    job: pruneLedger,
    payload: slotOnly,
    description: "What is older than RETENTION says goes from the database.",
  },
  {
    name: "collect-garbage",
    cron: "30 3 * * *",
    timeZone: businessTimeZone,
    job: collectGarbage,
    payload: slotOnly,
    description: "Files that nobody refers to go.",
  },
];

/**
 * The newest moments at which a schedule was due at or before `now`, newest first. An hour that the clock skips is
 * made up for at once; in one that it has twice a time of day comes once, and "every hour" comes in both.
 */
export function dueSlots({ cron, timeZone }: Pick<Schedule, "cron" | "timeZone">, now: Date, count: number): Date[] {
  const pattern = new Cron(cron, { timezone: timeZone, paused: true, mode: "5-or-6-parts" });
  // The library looks before the moment it is given.
  return pattern.previousRuns(count, new Date(now.getTime() + 1));
}

/** Promises the job of a slot; returns its id, also when it was promised before. */
export function promiseSlot(tx: EntityManager, { job, payload }: Schedule, slot: Date): Promise<string> {
  return enqueue(tx, job, payload(slot));
}
