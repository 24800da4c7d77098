import { createHash, randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { Mail } from "../../../../src/db/entities/mail/mail.ts";
import { PersonalData1765843200024 } from "../../../../src/db/migrations/0024-personal-data.ts";
import { requestMails } from "../../../../src/services/mail/mails.ts";
import { useDatabase } from "../../../support/database.ts";

const db = useDatabase();

let wanted: { event: string; kind: "welcome"; recipient: string };
beforeEach(() => {
  wanted = { event: `welcome:${randomUUID()}`, kind: "welcome", recipient: `Anna-${randomUUID()}@test.example` };
});
const clearKey = () => `${wanted.event}:${wanted.recipient.toLowerCase()}`;
const hashed = () => createHash("sha256").update(clearKey()).digest("hex");
const request = () => db.transaction((tx) => requestMails(tx, [wanted]));
const rows = () => db.manager.findBy(Mail, { recipient: wanted.recipient });

/** As the version before enters a mail. */
const enterAsBefore = async (id: string) => {
  await db.query(
    "INSERT INTO mails (id, send_key, kind, recipient) VALUES ($1, $2, 'welcome', $3) ON CONFLICT DO NOTHING",
    [id, clearKey(), wanted.recipient],
  );
};

test("a send key holds no address, whichever version has written it", async () => {
  await request();
  const [mail] = await rows();
  expect(mail?.sendKey).toBe(hashed());
  await db.query("DELETE FROM mails");
  await enterAsBefore(String(mail?.id));
  expect(await rows()).toMatchObject([{ id: mail?.id, sendKey: hashed() }]);
  await expect(db.query("UPDATE mails SET send_key = 'a:anna@test.example'")).rejects.toThrow("names_nobody");
});

test("a mail that both versions ask for while they run beside each other is one mail", async () => {
  await request();
  const [mail] = await rows();
  await enterAsBefore(String(mail?.id));
  await enterAsBefore(randomUUID());
  expect(await rows()).toHaveLength(1);
});

test("mails in flight keep their id and Message-ID when their keys are hashed, and are not asked for twice", async () => {
  await request();
  const [mail] = await rows();
  const runner = db.createQueryRunner();
  const migration = new PersonalData1765843200024();
  await migration.down(runner);
  await db.query(
    "UPDATE mails SET send_key = $2, state = 'sending', sending_at = now(), message_id = 'm@x' WHERE id = $1",
    [mail?.id, clearKey()],
  );
  await migration.up(runner);
  await runner.release();
  const expected = { id: mail?.id, sendKey: hashed(), state: "sending", messageId: "m@x", jobId: mail?.jobId };
  expect(await rows()).toMatchObject([expected]);
  expect(await request()).toEqual([mail?.jobId]);
  expect(await rows()).toMatchObject([expected]);
});
