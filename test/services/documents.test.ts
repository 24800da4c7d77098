import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { documents } from "../../src/db/dao/documents.ts";
import { Job } from "../../src/db/entities/job.ts";
import { User } from "../../src/db/entities/user.ts";
import { createTransact } from "../../src/db/transaction.ts";
import { TooManyRequestsError } from "../../src/errors.ts";
import { publicPriceList } from "../../src/services/document-kinds.ts";
import { type DocumentRequest, ensurePriceList, mostInFlight, requestDocument } from "../../src/services/documents.ts";
import { useDatabase } from "../support/database.ts";
import { addOffer, addOrder, addWaybill } from "../support/goods.ts";

const db = useDatabase();
const transact = createTransact(db, () => {});
const origin = { actorId: null, traceId: null };
const request = (wanted: DocumentRequest) => transact(origin, (tx) => requestDocument(tx, wanted));

async function orderRequest(requestedBy: string | null = null): Promise<DocumentRequest> {
  const { offer } = await addOffer(db);
  const { id } = await addOrder(db, [{ offer, quantity: 1, priceRub: 717 }]);
  return { kind: "order", format: "pdf", parameters: { id }, requestedBy };
}

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
    expect(document.fileName).toBe(`Заказ ${wanted.kind === "order" ? wanted.parameters.id : ""}.pdf`);
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
      await requestDocument(tx, wanted);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await db.manager.count(Job)).toBe(before);
  });

  test("is counted for its user before it is committed, and refused as the one too many", async () => {
    const user = await addUser();
    for (let n = 1; n < mostInFlight; n++) await request(await orderRequest(user));
    const [last, tooMany] = [await orderRequest(user), await orderRequest(user)];
    let refused: Promise<unknown> | undefined;
    await transact(origin, async (tx) => {
      await requestDocument(tx, last);
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

  test("is another one once the first is made or has failed", async () => {
    const wanted = await orderRequest();
    const first = await request(wanted);
    await db.manager.update(Job, { id: first.jobId }, { state: "failed", finishedAt: new Date() });
    const second = await request(wanted);
    expect(second.id).not.toBe(first.id);
    await documents.complete(db.manager, second.id, { objectKey: "k", contentType: "t", bytes: 1, sha256: "s" });
    expect((await request(wanted)).id).not.toBe(second.id);
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
  });

  test.each(["order", "waybill"] as const)("of an unknown %s is refused", async (kind) => {
    const wanted = { kind, format: "pdf", parameters: { id: randomUUID() }, requestedBy: null } as const;
    await expect(request(wanted)).rejects.toThrow(kind === "order" ? "Order not found" : "Waybill not found");
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

test("the price list of a day is promised once, and again on the next day", async () => {
  const ensure = (day: string) => transact(origin, (tx) => ensurePriceList(tx, day));
  expect(await ensure("2026-11-22")).toBe(false);
  expect(await ensure("2026-11-22")).toBe(false);
  const [rows] = await documents.list(db.manager, { limit: 100, offset: 0 });
  const lists = rows.filter(({ kind }) => kind === "price-list");
  expect(lists).toMatchObject([publicPriceList("2026-11-22")]);

  const file = { objectKey: "k", contentType: "t", bytes: 1, sha256: "s" };
  await documents.complete(db.manager, lists[0]?.id ?? "", file);
  expect(await ensure("2026-11-22")).toBe(true);
  expect(await ensure("2026-11-23")).toBe(false);
});
