import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { mails } from "../../../src/db/dao/mail/mails.ts";
import type { MailKindName } from "../../../src/jobs/mail-kinds.ts";
import { isPaced, planMail, quietForMs } from "../../../src/services/mail/mail-pace.ts";
import { type MailPace, noMailRules } from "../../../src/services/mail/mail-rules.ts";
import { requestMails } from "../../../src/services/mail/mails.ts";
import { useDatabase } from "../../support/database.ts";

const hour = 3_600_000;

describe("quiet hours", () => {
  // The shop's time is three hours ahead of UTC.
  test.each([
    ["2026-11-22T17:59:59.000Z", [21, 9], 0],
    ["2026-11-22T18:00:00.000Z", [21, 9], 12 * hour],
    ["2026-11-22T20:59:59.999Z", [21, 9], 9 * hour + 1],
    ["2026-11-22T21:00:00.000Z", [21, 9], 9 * hour],
    ["2026-11-23T05:59:59.000Z", [21, 9], 1_000],
    ["2026-11-23T06:00:00.000Z", [21, 9], 0],
    ["2026-11-22T10:30:00.000Z", [13, 15], 1.5 * hour],
    ["2026-11-22T12:00:00.000Z", [13, 15], 0],
    ["2026-11-22T12:00:00.000Z", [9, 9], 0],
  ] as const)("at %s of %j last %i ms", (now, hours, expected) => {
    expect(quietForMs(hours, new Date(now))).toBe(expected);
  });
});

describe("the turn of a mail", () => {
  const db = useDatabase();
  const noon = new Date("2026-11-22T09:00:00Z");

  async function plan(recipient: string, pace: Partial<MailPace>, now = noon, kind: MailKindName = "price-list") {
    const request = { event: randomUUID(), kind, recipient };
    const [jobId] = await db.transaction((tx) => requestMails(tx, [request]));
    const { id } = (await mails.findByJob(db.manager, String(jobId))) ?? { id: "" };
    return planAgain(id, pace, now);
  }
  async function planAgain(id: string, pace: Partial<MailPace>, now = noon) {
    const mail = await mails.findById(db.manager, id);
    if (!mail) throw new Error("There is no such mail");
    return { id, waitMs: await db.transaction((tx) => planMail(tx, mail, { ...noMailRules.pace, ...pace }, now)) };
  }

  test("is one of so many a minute to its domain, each a step after the one before", async () => {
    const pace = {
      domainRates: new Map([
        ["slow.example", 6],
        ["*", 60_000],
      ]),
    };
    const slots: number[] = [];
    for (let n = 0; n < 4; n++) {
      const { id, waitMs } = await plan(`r${n}@SLOW.example`, pace);
      expect(waitMs).toBeLessThanOrEqual(n * 10_000);
      const { slotAt } = (await mails.findById(db.manager, id)) ?? { slotAt: null };
      slots.push(Number(slotAt));
    }
    // A date has whole milliseconds.
    for (const n of [1, 2, 3]) expect(Number(slots[n]) - Number(slots[n - 1])).toBeGreaterThanOrEqual(9_999);
    expect((await plan("r@other.example", pace)).waitMs).toBe(0);
  });

  test("is taken once, and comes", async () => {
    const pace = { domainRates: new Map([["once.example", 6]]) };
    await plan("first@once.example", pace);
    const { id } = await plan("second@once.example", pace);
    const { slotAt } = (await mails.findById(db.manager, id)) ?? { slotAt: null };
    const at = slotAt?.getTime() ?? 0;
    expect((await planAgain(id, pace, new Date(at - 7_000))).waitMs).toBe(7_000);
    expect((await planAgain(id, pace, new Date(at + 1))).waitMs).toBe(0);
    const third = await plan("third@once.example", pace);
    expect(third.waitMs).toBeLessThanOrEqual(20_000);
  });

  test("does not keep other mail waiting, which counts", async () => {
    const pace = { domainRates: new Map([["*", 6]]), quietHours: [0, 23] as const, dailyCap: 1 };
    for (let n = 0; n < 3; n++) expect((await plan("r@counts.example", pace, noon, "order-received")).waitMs).toBe(0);
    const bulk = await plan("r@counts.example", { domainRates: pace.domainRates });
    expect(bulk.waitMs).toBeGreaterThan(20_000);
  });

  test("is not in quiet hours, whenever it was planned for", async () => {
    const { id } = await plan("r@quiet.example", {});
    const pace = { quietHours: [12, 13] as const };
    expect((await planAgain(id, pace)).waitMs).toBe(hour);
  });

  test("is tomorrow when the day is full", async () => {
    const pace = { dailyCap: 2 };
    const today = new Date("2026-10-22T20:00:00Z");
    const waits = [];
    for (let n = 0; n < 3; n++) waits.push(await plan(`r${n}@full.example`, pace, today));
    expect(waits.map(({ waitMs }) => waitMs)).toEqual([0, 0, hour]);
    const tomorrow = new Date(today.getTime() + hour);
    expect((await planAgain(String(waits[2]?.id), pace, tomorrow)).waitMs).toBe(0);
  });

  test("need not be planned without rules", () => {
    expect(isPaced(noMailRules.pace)).toBe(false);
    expect(isPaced({ ...noMailRules.pace, quietHours: [1, 2] })).toBe(true);
    expect(isPaced({ ...noMailRules.pace, dailyCap: 1 })).toBe(true);
    expect(isPaced({ ...noMailRules.pace, domainRates: new Map([["*", 1]]) })).toBe(true);
  });
});
