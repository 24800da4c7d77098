import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { auditLog } from "../../../src/db/dao/audit/audit-log.ts";
import { type Counts, erasures } from "../../../src/db/dao/privacy/erasures.ts";
import { personalTables } from "../../../src/db/personal-data.ts";
import { erasePerson } from "../../../src/jobs/erase-person.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { createObjectStore } from "../../../src/platform/object-store.ts";
import { requestMails } from "../../../src/services/mail/mails.ts";
import { requestErasure, requestGuestErasure } from "../../../src/services/privacy/erasures.ts";
import type { WorkerContext } from "../../../src/workers/context.ts";
import { erasePersonProcessor } from "../../../src/workers/processors/erase-person.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { startRun } from "../../support/job-run.ts";
import { addOrder } from "../../support/orders.ts";
import { addPerson, type Person, rowsWith } from "../../support/person.ts";
import { useBucket } from "../../support/s3.ts";
import { addUser } from "../../support/users.ts";

const db = useDatabase();
const s3 = useBucket();
let store: ReturnType<typeof createObjectStore>;
let offerId: string;
let staffId: string;
beforeAll(async () => {
  store = createObjectStore({
    ...{ endpoint: s3.endpoint, region: "us-east-1", bucket: s3.bucket, publicUrl: s3.publicUrl },
    ...{ accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
  });
  offerId = (await addOffer(db)).id;
  staffId = (await addUser(db, { role: "ADMIN" })).id;
  return () => store.close();
});

const add = (isGuest: boolean) => addPerson(db, store, { offerId, staffId, isGuest });
const wanted = () => ({ reason: "Requested in writing", requestedBy: staffId, endpoint: "https://api.test/erasures" });

/** Promises the erasure; returns its id. */
async function request({ userId, email }: Pick<Person, "userId" | "email">): Promise<string> {
  const jobId = await db.transaction((tx) =>
    userId ? requestErasure(tx, userId, wanted()) : requestGuestErasure(tx, email, wanted()),
  );
  const [{ payload }] = await db.query("SELECT payload FROM job WHERE id = $1", [jobId]);
  return payload.erasureId;
}

class Crash extends Error {}

/** One run of the job, which ends at its `crashAt`th step, before or after that is committed; all of it without. */
async function run(erasureId: string, crashAt?: { step: number; isDone: boolean }) {
  const started = await startRun(db, erasePerson, { erasureId });
  let step = 0;
  const stepping =
    <Arguments extends unknown[], Result>(work: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      const isHere = ++step === crashAt?.step;
      if (isHere && !crashAt?.isDone) throw new Crash();
      const result = await work(...args);
      if (isHere) throw new Crash();
      return result;
    };
  const { commit, complete } = started.run;
  const context = { db, log: createLogger("silent", "test"), store: { ...store, remove: stepping(store.remove) } };
  const job = { ...started.run, commit: stepping(commit), complete: stepping(complete) };
  const crashed = await erasePersonProcessor.run(job, context as unknown as WorkerContext).then(
    () => false,
    (error: unknown) => {
      if (error instanceof Crash) return true;
      throw error;
    },
  );
  return { crashed, job: await started.find() };
}

const erasedCounts = async (id: string): Promise<Counts> => (await erasures.find(db.manager, id))?.counts ?? {};
const objects = async () => {
  const keys: string[] = [];
  for await (const page of store.list("")) keys.push(...page.map(({ key }) => key));
  return keys;
};

const nothingIsLeftOf = async ({ mark, email, phone, objectKeys }: Person) => {
  expect(await rowsWith(db, [mark, email, phone])).toEqual([]);
  expect((await objects()).filter((key) => key.includes(mark) || objectKeys.includes(key))).toEqual([]);
  expect(await db.query("SELECT * FROM erasure_marks")).toEqual([]);
  expect(await auditLog.firstBroken(db.manager)).toBeUndefined();
};

test("the erasure of an old account leaves what belongs to the active one with its address", async () => {
  const old = await add(false);
  await db.query("UPDATE users SET is_active = false WHERE id = $1", [old.userId]);
  const user = await addUser(db, { email: old.email.toUpperCase() });
  const own = await addOrder(db, { userId: user.id, email: old.email, firstName: "Нина" });
  const ofGuest = await addOrder(db, { email: old.email, firstName: "Нина" });
  await db.query("INSERT INTO mail_suppressions (address, reason) VALUES ($1, 'unsubscribed') ON CONFLICT DO NOTHING", [
    old.email.toLowerCase(),
  ]);
  await run(await request(old));
  const rows = await db.query(
    "SELECT email, first_name FROM orders WHERE id = ANY($1) OR user_id = $2 ORDER BY first_name DESC",
    [[own.id, ofGuest.id], old.userId],
  );
  expect(rows).toMatchObject([{ first_name: "Удалено" }, { email: old.email }, { email: old.email }]);
  expect(await db.query("SELECT 1 FROM mail_suppressions WHERE address = lower($1)", [old.email])).toHaveLength(1);
  expect(await db.query("SELECT 1 FROM users WHERE id = $1 AND email = $2", [user.id, user.email])).toHaveLength(1);
  // The person has asked for both: nothing is left.
  await run(await request({ userId: user.id, email: user.email }));
  await nothingIsLeftOf(old);
});

describe.each([
  ["a user", false],
  ["a guest", true],
] as const)("the erasure of %s", (_who, isGuest) => {
  test("finds what is planted in each table of the list, leaves nothing, and says what it did", async () => {
    const person = await add(isGuest);
    const planted = await rowsWith(db, [person.mark, person.phone]);
    const tables = new Set(planted.map((row) => row.slice(0, row.indexOf(":"))));
    const expected = Object.entries(personalTables).flatMap(([table, { columns }]) =>
      Object.values(columns).some((column) => !("kept" in column)) ? [table] : [],
    );
    const ofAccounts = ["users", "addresses", "carts", "cart_offers"];
    const without = ["carts", "cart_offers", ...(isGuest ? ofAccounts : [])];
    expect(
      [...tables].sort(),
      "tables in which test/support/person.ts plants the person, and those that src/db/personal-data.ts lists",
    ).toEqual(expected.filter((table) => !without.includes(table)).sort());

    const id = await request(person);
    const { job } = await run(id);
    await nothingIsLeftOf(person);
    expect(job).toMatchObject({ state: "succeeded", result: { user_id: person.userId } });
    expect(job.result).toMatchObject({
      erased: { orders: 1, mails: 2, documents: 2, job: 1, queue_pause: 1, audit_log: isGuest ? 8 : 10 },
    });
    const [{ payload, user_id: by }] = await db.query(
      "SELECT payload, user_id FROM audit_log WHERE payload ? 'erased' ORDER BY chain_no DESC LIMIT 1",
    );
    expect({ payload, by }).toMatchObject({
      by: staffId,
      payload: { reason: wanted().reason, erased: await erasedCounts(id) },
    });
  });

  test("keeps what was sold for how much, under the same ids", async () => {
    const person = await add(isGuest);
    const books = () =>
      db.query(
        `SELECT o.id, o.user_id, o.status, line.price_rub, line.quantity, p.amount_rub, p.state, p.provider_reference,
           w.id AS waybill, wo.price_rub AS waybill_price, b.delta
         FROM orders o JOIN order_offers line ON line.order_id = o.id JOIN payments p ON p.order_id = o.id
         JOIN waybills w ON w.order_id = o.id JOIN waybill_offers wo ON wo.waybill_id = w.id
         LEFT JOIN user_balance_history b ON b.user_id = o.user_id WHERE o.id = $1`,
        [person.orderId],
      );
    const before = await books();
    expect(before).toHaveLength(1);
    await run(await request(person));
    expect(await books()).toEqual(before);
  });

  test("touches nothing of other people, not even under the same name", async () => {
    const [other, guest] = [await add(false), await add(true)];
    const words = [other.mark, guest.mark];
    const before = await rowsWith(db, words);
    await run(await request(await add(isGuest)));
    expect(await rowsWith(db, words)).toEqual(before);
    expect(await objects()).toEqual(expect.arrayContaining([...other.objectKeys, ...guest.objectKeys]));
    for (const one of [other, guest]) await run(await request(one));
  });

  test("ends in the same state wherever its worker dies, and counts each row once", { timeout: 120_000 }, async () => {
    const whole = await request(await add(isGuest));
    await run(whole);
    const expected = await erasedCounts(whole);
    for (let step = 1, isOver = false; !isOver; step++) {
      for (const isDone of [false, true]) {
        const person = await add(isGuest);
        const id = await request(person);
        const { crashed } = await run(id, { step, isDone });
        isOver = !crashed;
        if (crashed) await run(id);
        await nothingIsLeftOf(person);
        expect({ step, isDone, counts: await erasedCounts(id) }).toEqual({ step, isDone, counts: expected });
        const [{ links }] = await db.query(
          "SELECT count(*)::int AS links FROM audit_log WHERE payload ->> 'erasure' = $1 AND payload ? 'erased'",
          [id],
        );
        expect(links).toBe(1);
      }
      if (step === 1) expect(isOver).toBe(false);
    }
  });

  test("lets the address be another person's from then on", async () => {
    const person = await add(isGuest);
    const id = await request(person);
    await run(id);
    const { id: orderId } = await addOrder(db, { userId: null, email: person.email, lines: [{ offerId }] });
    const newcomer = { event: randomUUID(), kind: "order-received", recipient: person.email } as const;
    await db.transaction((tx) => requestMails(tx, [{ ...newcomer, parameters: { orderId } }]));
    const before = await rowsWith(db, [person.email]);
    expect(before).toHaveLength(2);
    if (person.userId) {
      // Again: for what has come since, and the newcomer is nothing of it.
      await run(await request(person));
      expect(await rowsWith(db, [person.email])).toEqual(before);
    }
    await run(await request({ userId: null, email: person.email }));
    expect(await rowsWith(db, [person.email])).toEqual([]);
  });
});

test("an erasure waits for the worker that is mailing the person, and that one cannot bring anything back", async () => {
  const person = await add(false);
  const [{ id: mailId, job_id: jobId }] = await db.query(
    "SELECT id, job_id FROM mails WHERE recipient = $1 AND state = 'queued'",
    [person.email],
  );
  await db.query(
    "UPDATE job SET state = 'running', epoch = 1, claimed_by = 'one', lease_until = now() + interval '30 s' WHERE id = $1",
    [jobId],
  );
  const id = await request(person);
  expect((await run(id)).job).toMatchObject({ state: "open" });
  const [{ cancellation }] = await db.query("SELECT cancellation FROM job WHERE id = $1", [jobId]);
  expect(cancellation).not.toBeNull();
  await db.query("UPDATE job SET state = 'cancelled', finished_at = now() WHERE id = $1", [jobId]);
  expect((await run(id)).job).toMatchObject({ state: "succeeded" });
  const [{ state }] = await db.query("SELECT state FROM mails WHERE id = $1", [mailId]);
  expect(state).toBe("suppressed");
  await nothingIsLeftOf(person);
});

test("a second erasure of the same account takes nothing out of the links by which the first one vouches", async () => {
  const person = await add(false);
  const notes = () =>
    db.query("SELECT endpoint, payload FROM audit_log WHERE payload ->> 'erasure' = $1 ORDER BY chain_no", [first]);
  const aboutUser = { ...wanted(), endpoint: `https://api.test/users/${person.userId}/erasure` };
  const erase = async () => {
    const jobId = await db.transaction((tx) => requestErasure(tx, String(person.userId), aboutUser));
    const [{ payload }] = await db.query("SELECT payload FROM job WHERE id = $1", [jobId]);
    expect((await run(payload.erasureId)).job).toMatchObject({ state: "succeeded" });
    return payload.erasureId as string;
  };
  const first = await erase();
  const before = await notes();
  expect(before).toHaveLength(2);
  await erase();
  expect(await notes()).toEqual(before);
  await nothingIsLeftOf(person);
});
