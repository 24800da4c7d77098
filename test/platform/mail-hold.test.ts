import { describe, expect, test } from "vitest";
import type { Log } from "../../src/platform/logger.ts";
import { createMailHold } from "../../src/platform/mail-hold.ts";
import { useClockAhead } from "../support/clock.ts";

const clock = useClockAhead();
const login = {
  fault: "login",
  reply: { stage: "AUTH", code: 535, enhanced: "5.7.8", reply: "535 5.7.8 anna@x" },
} as const;
const session = { fault: "session", reply: undefined } as const;

function aHold() {
  const lines: { level: string; fields: Record<string, unknown>; text: string }[] = [];
  const line = (level: string) => (fields: Record<string, unknown>, text: string) =>
    lines.push({ level, fields, text });
  const log = { debug() {}, warn() {}, info: line("info"), error: line("error") } as unknown as Log;
  return { ...createMailHold(log), lines };
}
type Hold = ReturnType<typeof aHold>;

/** Refuses the mail that tries, and returns for how long the next one waits at least. */
function refuse(hold: Hold, id = "trial", refusal: Parameters<Hold["refuse"]>[2] = login) {
  hold.refuse(id, performance.now(), refusal);
  return Math.min(...Array.from({ length: 50 }, () => hold.waitMs("next")));
}

describe("a server that refuses us", () => {
  test("holds all mail, twice as long each time and five minutes at most, and has one mail try", () => {
    const hold = aHold();
    expect(hold.waitMs("next")).toBe(0);
    for (const seconds of [3, 6, 12, 24, 48, 96, 192, 300, 300]) {
      const wait = refuse(hold);
      expect(wait).toBeGreaterThan(seconds * 1_000 - 100);
      expect(wait).toBeLessThan(seconds * 1_300);
      clock.pass(seconds * 1_000 + 1);
      expect(hold.waitMs("next")).toBe(0);
      expect(hold.waitMs("another")).toBeGreaterThan(0);
    }
    expect(hold.fault()).toBe("login");
    hold.taken("next");
    expect([hold.waitMs("another"), hold.fault()]).toEqual([0, undefined]);
    expect(refuse(hold)).toBeLessThan(4_000);
  });

  test("has another mail try when the one that tries has no outcome", () => {
    const hold = aHold();
    refuse(hold);
    clock.pass(4_000);
    expect(hold.waitMs("one")).toBe(0);
    clock.pass(29_000);
    expect(hold.waitMs("two")).toBeGreaterThan(0);
    clock.pass(2_000);
    expect(hold.waitMs("two")).toBe(0);
  });

  test("has mails try that it has not seen before the one that it minds", () => {
    const hold = aHold();
    refuse(hold, "minded");
    clock.pass(3_001);
    expect(hold.waitMs("minded")).toBeGreaterThan(0);
    expect(hold.waitMs("other")).toBe(0);
  });

  test("counts mails that were under way together once", () => {
    const hold = aHold();
    const beganAt = performance.now();
    clock.pass(10);
    for (let n = 0; n < 60; n++) hold.refuse(`${n}`, beganAt, login);
    expect(hold.waitMs("next")).toBeLessThan(4_600);
    expect(hold.lines).toHaveLength(1);
  });

  test("is in the log with what to do and without the words of the reply, and so is its end", () => {
    const hold = aHold();
    refuse(hold);
    hold.heard();
    hold.heard();
    expect(hold.lines.map(({ level }) => level)).toEqual(["error", "info"]);
    expect(hold.lines[0]?.fields).toEqual({
      fault: "login",
      stage: "AUTH",
      code: 535,
      enhanced: "5.7.8",
      nextTryInMs: 3_000,
    });
    expect(hold.lines[0]?.text).toContain("Correct SMTP_USER and SMTP_PASS");
    expect(JSON.stringify(hold.lines)).not.toContain("anna");
  });

  test("is no longer measured when no mail is left to try it", () => {
    const hold = aHold();
    refuse(hold);
    clock.pass(60_000);
    expect(hold.fault()).toBe("login");
    clock.pass(10_000);
    expect(hold.fault()).toBeUndefined();
  });
});

describe("sessions that end", () => {
  test("hold nothing before forty in a row", () => {
    const hold = aHold();
    for (let n = 0; n < 39; n++) expect(refuse(hold, `${n}`, session)).toBe(0);
    hold.taken("one");
    for (let n = 0; n < 39; n++) expect(refuse(hold, `${n}`, session)).toBe(0);
    expect(refuse(hold, "last", session)).toBeGreaterThan(0);
  });
});

describe("a mail that is refused because of us", () => {
  test("is meant itself from the fourth time on, if others were taken each time", () => {
    const hold = aHold();
    const times = Array.from({ length: 6 }, () => {
      const isMeant = hold.refuse("poison", performance.now(), login);
      clock.pass(1);
      hold.taken("other");
      clock.pass(1);
      return isMeant;
    });
    expect(times).toEqual([false, false, false, true, true, true]);
    expect(hold.fault()).toBeUndefined();
  });

  test("is never meant while no other is taken", () => {
    const hold = aHold();
    hold.taken("other");
    for (let n = 0; n < 100; n++) {
      clock.pass(400_000);
      expect(hold.refuse("one", performance.now(), login)).toBe(false);
    }
  });
});
