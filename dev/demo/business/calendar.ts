import type { Random } from "../random.ts";

/** When the catalogue was entered; nothing of the demo shop is older. */
export const opened = "2026-05-04T06:00:00.000Z";

/** Nothing of the demo shop is younger. */
export const closed = "2026-11-20T18:00:00.000Z";

const minute = 60_000;
const day = 24 * 60 * minute;

/** Picks moments; they are texts of one form, so that texts in order are moments in order. */
export interface Calendar {
  /** In business hours of a day from `first` to `last`. */
  onDay(first: string, last: string): string;
  /** So many minutes after a moment. */
  after(moment: string, atLeast: number, atMost: number): string;
}

/** Makes a calendar that always picks a fraction of a second too: no two moments are the same. */
export function createCalendar(random: Random): Calendar {
  const within = (from: number, to: number) => new Date(from + Math.floor(random.next() * (to - from))).toISOString();
  return {
    onDay(first, last) {
      const days = (Date.parse(last) - Date.parse(first)) / day;
      const morning = Date.parse(first) + random.int(0, days) * day + 6 * 60 * minute;
      return within(morning, morning + 9 * 60 * minute);
    },
    after: (moment, atLeast, atMost) =>
      within(Date.parse(moment) + atLeast * minute, Date.parse(moment) + atMost * minute),
  };
}
