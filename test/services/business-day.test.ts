import { expect, test } from "vitest";
import { businessDay, businessTime, formatDay } from "../../src/services/business-day.ts";

test.each([
  ["2026-11-22T20:59:59Z", "2026-11-22"],
  ["2026-11-22T21:00:00Z", "2026-11-23"],
  ["2026-06-30T21:00:00Z", "2026-07-01"],
  ["2026-12-31T21:30:00Z", "2027-01-01"],
])("at %s it is %s in the shop", (moment, day) => {
  expect(businessDay(new Date(moment))).toBe(day);
});

test("a time carries its offset", () => {
  expect(businessTime(new Date("2026-11-22T16:29:13.049Z"))).toBe("2026-11-22T19:29:13+03:00");
  expect(businessTime(new Date("2026-11-22T21:00:00Z"))).toBe("2026-11-23T00:00:00+03:00");
});

test("a day is written as people here do, or with another separator", () => {
  expect(formatDay("2026-11-22")).toBe("22.11.2026");
  expect(formatDay("2026-11-22", "_")).toBe("22_11_2026");
});
