import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Mail } from "../../../src/db/entities/mail/mail.ts";
import { type MailAct, mailActs } from "../../../src/services/mail/mail-counts.ts";
import { mailboxOf } from "../../../src/services/mail/mailbox.ts";
import { type CountedMailRequest, requestCountedMails } from "../../../src/services/mail/mails.ts";
import { useDatabase } from "../../support/database.ts";

const db = useDatabase();
const request = (recipient: string, values: Partial<CountedMailRequest> = {}): CountedMailRequest => ({
  ...{ event: randomUUID(), kind: "order-received", recipient, act: "guest-order", maxMails: 5 },
  ...values,
});
const ask = (...requests: CountedMailRequest[]) => db.transaction((tx) => requestCountedMails(tx, requests));
/** How many of them go out, and how many are held back. */
const outcomeOf = (jobIds: (string | null)[]) => [
  jobIds.filter((id) => id !== null).length,
  jobIds.filter((id) => id === null).length,
];

describe("mails that strangers have sent to one mailbox", () => {
  test("go out five times, however many transactions ask at once, and the others say why they do not", async () => {
    const recipient = "victim@test.example";
    const asked = await Promise.all(Array.from({ length: 40 }, () => ask(request(recipient))));
    expect(outcomeOf(asked.flat())).toEqual([5, 35]);
    const [held, ...others] = await db.manager.findBy(Mail, { recipient, state: "suppressed" });
    expect(others).toHaveLength(34);
    expect(held).toMatchObject({ jobId: null, serverAnswer: expect.stringContaining("MAIL_UNPROVED_PER_DAY") });
    expect(await db.manager.countBy(Mail, { recipient, state: "queued" })).toBe(5);
  });

  test("go out five times when one transaction asks for all, and an older one is not counted again", async () => {
    const requests = Array.from({ length: 8 }, () => request("batch@test.example"));
    const first = await ask(...requests);
    expect(outcomeOf(first)).toEqual([5, 3]);
    expect(await ask(...requests)).toEqual(first);
    expect(outcomeOf(await ask(...requests, request("batch@test.example")))).toEqual([5, 4]);
  });

  test("are no fewer for a transaction that was rolled back", async () => {
    const recipient = "rollback@test.example";
    const failing = db.transaction(async (tx) => {
      await requestCountedMails(
        tx,
        Array.from({ length: 5 }, () => request(recipient)),
      );
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(outcomeOf(await ask(...Array.from({ length: 6 }, () => request(recipient))))).toEqual([5, 1]);
  });

  test("of one kind of act use up no other kind, and the limit 0 is none", async () => {
    const recipient = "kinds@test.example";
    for (const act of Object.keys(mailActs) as MailAct[]) {
      const requests = Array.from({ length: 6 }, () => request(recipient, { act }));
      expect([act, ...outcomeOf(await ask(...requests))]).toEqual([act, 5, 1]);
    }
    expect(outcomeOf(await ask(...Array.from({ length: 9 }, () => request(recipient, { maxMails: 0 }))))).toEqual([
      9, 0,
    ]);
  });

  test("are counted under a hash of the mailbox", async () => {
    await ask(request("hidden@test.example"));
    const rows = await db.query("SELECT * FROM mail_counts");
    expect(rows.map(({ mailbox }: { mailbox: string }) => mailbox)).toContain(mailboxOf("hidden@test.example"));
    expect(JSON.stringify(rows)).not.toContain("@");
  });
});

describe("a mailbox", () => {
  test.each([
    ["victim@gmail.com", "VICTIM@Gmail.COM", "victim+1@gmail.com", "v.i.c.t.i.m@gmail.com", "victim@googlemail.com"],
    ["anna-petrova@yandex.ru", "anna.petrova@ya.ru", "anna.petrova+shop@yandex.com", "annapetrova@yandex.kz"],
    [
      "anna@yandex.ru",
      ...["yandex.by", "yandex.ua", "yandex.uz", "yandex.com.tr", "narod.ru"].map((at) => `anna@${at}`),
    ],
    ["anna@proton.me", "a.nna@pm.me", "Anna@protonmail.com", "anna+1@protonmail.ch"],
    ["anna@icloud.com", "anna@me.com", "anna+shop@MAC.com"],
    ["o_neil@corp.example", "O.Neil+x+y@corp.example"],
  ])("is the same under all its addresses: %s", (address, ...others) => {
    expect(others.map(mailboxOf)).toEqual(others.map(() => mailboxOf(address)));
  });

  test("of another name or domain is another one", () => {
    const addresses = [
      "a@gmail.com",
      "b@gmail.com",
      "a@yandex.ru",
      "a@pm.me",
      "a@me.com",
      "a@mail.ru",
      "a@list.ru",
      "a+b@mail.example",
    ];
    expect(new Set(addresses.map(mailboxOf)).size).toBe(addresses.length);
  });
});
