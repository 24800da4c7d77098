import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { documents } from "../../../src/db/dao/documents/documents.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import type { Document } from "../../../src/db/entities/documents/document.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { createTransact } from "../../../src/engine/transaction.ts";
import { TooManyRequestsError } from "../../../src/errors.ts";
import {
  type DocumentRequest,
  ensurePriceList,
  feed,
  isFeedOutdated,
  maxInFlight,
  requestDocument,
} from "../../../src/services/documents/documents.ts";
import { publicPriceList } from "../../../src/services/documents/kinds/index.ts";
import { useDatabase } from "../../support/database.ts";
import { addOffer, addOrder, addWaybill } from "../../support/goods.ts";
import { payee } from "../../support/printouts.ts";

const db = useDatabase();
const transact = createTransact(db, () => {});
const shop = { payee, publicUrl: (key: string) => `https://files.test/${key}` };
const origin = { actorId: null, traceId: null };
const request = (wanted: DocumentRequest) => transact(origin, (tx) => requestDocument(tx, wanted, shop));

async function orderRequest(requestedBy: string | null = null): Promise<DocumentRequest> {
  const { offer } = await addOffer(db);
  const { id } = await addOrder(db, [{ offer, quantity: 1, priceRub: 717 }]);
  return { kind: "order", format: "pdf", parameters: { id }, requestedBy };
}

/** As the worker would. */
async function complete({ jobId, sourceHash }: Document, readyAt = new Date()) {
  const file = { objectKey: "k", contentType: "t", bytes: 1, sha256: "s", sourceHash, readyAt };
  await documents.complete(db.manager, String(jobId), file);
  await db.manager.update(Job, { id: String(jobId) }, { state: "succeeded", finishedAt: new Date() });
}

const idOf = ({ parameters }: DocumentRequest) => ("id" in parameters ? parameters.id : "");

async function addUser() {
  const id = randomUUID();
  await db.manager.insert(User, { id, email: `${id}@test.example`, firstName: "A", lastName: "B" });
  return id;
}

async function waitingForATurn(): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*)::int AS count FROM pg_locks l JOIN pg_database d ON d.oid = l.database
     WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()`,
  );
  return row.count;
}

describe("a requested document", () => {
  test("has its job in the same transaction", async () => {
    const wanted = await orderRequest();
    const document = await request(wanted);
    expect(document.fileName).toBe(`Заказ ${idOf(wanted)}.pdf`);
    expect(document.job).toMatchObject({
      kind: "render-document",
      state: "open",
      payload: { documentId: document.id },
    });
  });

  test("is not there when the transaction fails", async () => {
    const wanted = await orderRequest();
    const before = await db.manager.count(Job);
    const failing = transact(origin, async (tx) => {
      await requestDocument(tx, wanted, shop);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await db.manager.count(Job)).toBe(before);
  });

  test("is counted for its user before it is committed, and refused as the one too many", async () => {
    const user = await addUser();
    for (let n = 1; n < maxInFlight; n++) await request(await orderRequest(user));
    const [last, tooMany] = [await orderRequest(user), await orderRequest(user)];
    let refused: Promise<unknown> | undefined;
    await transact(origin, async (tx) => {
      await requestDocument(tx, last, shop);
      refused = expect(request(tooMany)).rejects.toThrow(TooManyRequestsError);
      await vi.waitFor(async () => expect(await waitingForATurn()).toBe(1));
    });
    await refused;
    expect(await request(await orderRequest(await addUser()))).toBeDefined();
    expect(await request(await orderRequest(null))).toBeDefined();
  });

  test("is the same one for requests that come at once, and while it is made", async () => {
    const wanted = await orderRequest();
    // Connections that are still being made would put the requests in a row.
    await Promise.all(Array.from({ length: 8 }, () => db.query("SELECT pg_sleep(0.1)")));
    const all = await Promise.all(Array.from({ length: 8 }, () => request(wanted)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect((await request(wanted)).id).toBe(all[0]?.id);
  });

  test("is another one once the first has failed", async () => {
    const wanted = await orderRequest();
    const first = await request(wanted);
    await db.manager.update(Job, { id: String(first.jobId) }, { state: "failed", finishedAt: new Date() });
    expect((await request(wanted)).id).not.toBe(first.id);
  });

  test("is the one that is made as long as its data stay the same", async () => {
    const wanted = await orderRequest();
    const first = await request(wanted);
    await complete(first);
    expect((await request(wanted)).id).toBe(first.id);
    await db.query("UPDATE order_offers SET quantity = quantity + 1 WHERE order_id = $1", [idOf(wanted)]);
    const second = await request(wanted);
    expect(second.id).not.toBe(first.id);
    expect(second.readyAt).toBeNull();
  });

  test("is another row with the same file for another user, without a job of its own", async () => {
    const wanted = await orderRequest();
    const first = await request(wanted);
    await complete(first);
    const before = await db.manager.count(Job);
    const others = await request({ ...wanted, requestedBy: await addUser() });
    expect(others.id).not.toBe(first.id);
    expect(others).toMatchObject({ objectKey: "k", sha256: "s", readyAt: expect.any(Date), jobId: first.jobId });
    expect(await db.manager.count(Job)).toBe(before);
  });

  test("is made by one job for all who want it at the same time", async () => {
    const wanted = await orderRequest();
    const [first, second] = [await request(wanted), await request({ ...wanted, requestedBy: await addUser() })];
    expect(second.jobId).toBe(first.jobId);
    await complete(first);
    for (const { id } of [first, second])
      expect(await documents.findById(db.manager, id)).toMatchObject({ objectKey: "k", readyAt: expect.any(Date) });
  });

  test("is made again when its file is gone", async () => {
    const wanted = await orderRequest();
    const first = await request(wanted);
    await complete(first);
    await documents.forgetFile(db.manager, "k");
    expect((await request(wanted)).id).not.toBe(first.id);
  });

  test("is another one for another person, format or order", async () => {
    const wanted = await orderRequest();
    const others = [
      { ...wanted, requestedBy: await addUser() },
      { ...wanted, format: "docx" } as DocumentRequest,
      await orderRequest(),
    ];
    const all = await Promise.all([wanted, ...others].map((one) => request(one)));
    expect(new Set(all.map(({ id }) => id)).size).toBe(4);
    expect(new Set(all.map(({ jobId }) => jobId)).size).toBe(3);
  });

  test.each(["order", "invoice", "waybill"] as const)("of an unknown %s is refused", async (kind) => {
    const wanted = { kind, format: "pdf", parameters: { id: randomUUID() }, requestedBy: null } as const;
    await expect(request(wanted)).rejects.toThrow(kind === "waybill" ? "Waybill not found" : "Order not found");
  });

  test("may be a waybill", async () => {
    const { offer } = await addOffer(db);
    const author = await addUser();
    const lines = [{ offer, quantity: 2, priceRub: 717 }];
    const { id } = await addWaybill(db, lines, { authorId: author, customerId: author });
    const document = await request({ kind: "waybill", format: "docx", parameters: { id }, requestedBy: author });
    expect(document).toMatchObject({ kind: "waybill", fileName: `Накладная ${id}.docx`, requestedBy: author });
  });
});

/** As an admin sees them. */
const everything = { by: { userId: randomUUID(), role: "ADMIN", kinds: [], personalData: "personal-data" } } as const;

test("the price list of a day is promised once, and again on the next day", async () => {
  const ensure = (day: string) => transact(origin, (tx) => ensurePriceList(tx, day, shop));
  expect(await ensure("2026-11-22")).toBe(false);
  expect(await ensure("2026-11-22")).toBe(false);
  const [rows] = await documents.list(db.manager, { ...everything, limit: 100, offset: 0 });
  const lists = rows.filter(({ kind }) => kind === "price-list");
  expect(lists).toMatchObject([publicPriceList("2026-11-22")]);

  await complete(lists[0] as Document);
  expect(await ensure("2026-11-22")).toBe(true);
  expect(await ensure("2026-11-23")).toBe(false);
});

test("of two feeds the one of newer data counts, whichever was made first", async () => {
  const ask = async () => {
    await addOffer(db);
    return request({ ...feed, requestedBy: null });
  };
  const [older, newer] = [await ask(), await ask()];
  expect(older.id).not.toBe(newer.id);
  await complete(newer, new Date(1_000));
  await complete(older, new Date(0));
  expect((await documents.findReady(db.manager, feed))?.id).toBe(newer.id);
  expect(await isFeedOutdated(db.manager)).toBe(false);
});
