import { describe, expect, test } from "vitest";
import { newOrders } from "../../../src/db/dao/orders/new-orders.ts";
import { Mail } from "../../../src/db/entities/mail/mail.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { noticeSpanMs, requestStaffNotices, singleNotices } from "../../../src/services/mail/staff-notices.ts";
import { loadTemplateData } from "../../../src/workers/mail/load-template-data.ts";
import { useDatabase } from "../../support/database.ts";
import { addOrder } from "../../support/orders.ts";

const db = useDatabase();
const begin = Math.floor(Date.now() / noticeSpanMs) * noticeSpanMs;
const within = (ms: number) => new Date(begin + ms);
const tell = (orders: readonly { id: string; createdAt: Date }[], staff: readonly string[]) =>
  db.transaction((tx) => requestStaffNotices(tx, { staff, orders, now: within(60_000) }));
const addOrders = (count: number, from = begin) =>
  Promise.all(Array.from({ length: count }, (_, n) => addOrder(db, { createdAt: new Date(from + n * 100) })));
const mailsTo = (recipient: string) => db.manager.find(Mail, { where: { recipient }, order: { createdAt: "ASC" } });

describe("staff", () => {
  test("is told of a flood by one mail, however many processes and batches there are", async () => {
    const staff = ["a@shop.example", "b@shop.example"];
    const orders = await addOrders(30);
    await Promise.all([0, 10, 20].map((from) => tell(orders.slice(from, from + 10), staff)));
    await tell(orders, staff);
    for (const recipient of staff) {
      const mails = await mailsTo(recipient);
      const kinds = mails.map(({ kind }) => kind).sort();
      expect(kinds).toEqual([...Array(singleNotices).fill("order-received-staff"), "orders-received-staff"]);
      const digest = mails.find(({ kind }) => kind === "orders-received-staff");
      const job = await db.manager.findOneByOrFail(Job, { id: String(digest?.jobId) });
      expect(job.runAt.getTime()).toBeGreaterThan(Date.now() + noticeSpanMs - 120_000);
      const letter = await loadTemplateData(db.manager, digest as Mail, {} as never);
      expect(letter.subject).toBe("Новые заказы: 30");
      expect(letter.lines).toHaveLength(30);
    }
  });

  test("is told of a few orders one by one, and of those of another ten minutes too", async () => {
    const staff = ["c@shop.example"];
    await tell(await addOrders(singleNotices, begin - noticeSpanMs * 2), staff);
    await tell(await addOrders(singleNotices, begin - noticeSpanMs * 4), staff);
    const kinds = (await mailsTo("c@shop.example")).map(({ kind }) => kind);
    expect(kinds).toEqual(Array(singleNotices * 2).fill("order-received-staff"));
  });

  test("has the sum of each order and their number, and no more lines than are wanted", async () => {
    const [since, until] = [new Date(begin - noticeSpanMs * 9), new Date(begin - noticeSpanMs * 8)];
    await addOrders(3, since.getTime());
    await addOrders(1, until.getTime());
    const found = await newOrders(db.manager, { since, until, limit: 2 });
    expect([found.count, found.orders.length, found.orders[0]?.sumRub]).toEqual([3, 2, 0]);
  });
});
