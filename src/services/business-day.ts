import { businessTimeZone } from "../jobs/schedules.ts";

const timeFormat = new Intl.DateTimeFormat("en-GB", {
  timeZone: businessTimeZone,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "longOffset",
});

/** A moment as ISO 8601 in the shop's time zone, with its offset: `2026-11-22T19:29:13+03:00`. */
export function businessTime(at: Date): string {
  const parts = new Map(timeFormat.formatToParts(at).map(({ type, value }) => [type, value]));
  const join = (separator: string, ...types: Intl.DateTimeFormatPartTypes[]) =>
    types.map((type) => parts.get(type)).join(separator);
  const offset = join("", "timeZoneName").slice("GMT".length) || "+00:00";
  return `${join("-", "year", "month", "day")}T${join(":", "hour", "minute", "second")}${offset}`;
}

/** The shop's calendar day at a moment, as `2026-11-22`. */
export function businessDay(at: Date): string {
  return businessTime(at).slice(0, "2026-11-22".length);
}

/** A calendar day in Russian notation: `22.11.2026`, or with another separator. */
export function formatDay(day: string, separator = "."): string {
  return day.split("-").reverse().join(separator);
}
