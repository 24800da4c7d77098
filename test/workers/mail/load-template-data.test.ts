import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { languages } from "../../../src/db/entities/accounts/user.ts";
import { type PaymentMethod, paymentMethods, unmatchedReasons } from "../../../src/db/entities/payments/payment.ts";
import type { MailKindName } from "../../../src/jobs/mail-kinds.ts";
import { changeOrder } from "../../../src/services/orders/orders.ts";
import { refundPayment } from "../../../src/services/payments/refunds.ts";
import { assignToBalance } from "../../../src/services/payments/unmatched-money.ts";
import { commitWaybill } from "../../../src/services/stock/commit-waybill.ts";
import { createWaybill, returnDelivery } from "../../../src/services/stock/waybills.ts";
import { loadTemplateData } from "../../../src/workers/mail/load-template-data.ts";
import { userIds } from "../../support/api.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";

const db = useDatabase();
const sources = {
  priceList: () => Promise.reject(new Error("not wanted")),
  documentUrl: (id: string) => id,
  orderUrl: (id: string) => `https://shop.test/orders/${id}`,
  user: () => Promise.resolve(null),
};

let userId = "";
let offerId = "";
beforeAll(async () => {
  await addUser(db, { id: userIds.employee, role: "EMPLOYEE", firstName: "Bartholomew" });
  offerId = (await addOffer(db, { quantity: 1_000 })).id;
});
beforeEach(async () => {
  userId = (await addUser(db)).id;
});

const orderOf = (owner: string | null = userId) =>
  addOrder(db, { userId: owner, lines: [{ offerId, quantity: 2, priceRub: 500 }] });
const cancel = (id: string) => db.transaction((tx) => changeOrder(tx, { id, change: { status: "CANCELED" } }));

/** All that a mail says, with plain spaces. */
async function wordsOf(kind: MailKindName, parameters: Record<string, unknown>, language: "ru" | "en" = "ru") {
  const letter = await loadTemplateData(db.manager, { kind, parameters, language }, sources);
  return JSON.stringify(letter).replaceAll(/\s/g, " ");
}

async function paidOrder(owner: string | null = userId) {
  const [{ id: orderId }, paymentId] = [await orderOf(owner), randomUUID()];
  await addPayment(db, { id: paymentId, orderId, amountRub: 1_000 });
  return { orderId, paymentId };
}

async function unmatched(values: Partial<Parameters<typeof addPayment>[1]> = {}) {
  const [{ id: orderId }, paymentId] = [await orderOf(), randomUUID()];
  const money = { amountRub: 700, state: "unmatched", unmatchedReason: "order_canceled", createdBy: userId } as const;
  await addPayment(db, { id: paymentId, orderId, ...money, ...values });
  return { orderId, paymentId };
}

describe("the mail about a canceled order", () => {
  test("says what is due back to a customer, to a guest, and nothing where nothing was paid", async () => {
    for (const [owner, promise] of [
      [userId, "мы вернём эти деньги или зачислим их на ваш баланс и свяжемся с вами"],
      [null, "мы вернём эти деньги и свяжемся с вами"],
    ] as const) {
      const { orderId } = await paidOrder(owner);
      await cancel(orderId);
      const words = await wordsOf("order-status", { orderId, status: "CANCELED" });
      expect(words).toContain(`Вам причитается возврат 1 000 ₽: ${promise}.`);
    }
    const { id: orderId } = await orderOf();
    await cancel(orderId);
    expect(await wordsOf("order-status", { orderId, status: "CANCELED" })).not.toContain("возврат");
  });

  test("says that money is on its way back", async () => {
    const { orderId, paymentId } = await paidOrder();
    await cancel(orderId);
    await db.query("INSERT INTO refunds (id, payment_id, amount_rub, state) VALUES ($1, $2, 1000, 'pending')", [
      ...[randomUUID(), paymentId],
    ]);
    const words = await wordsOf("order-status", { orderId, status: "CANCELED" }, "en");
    expect(words).toContain("A refund of RUB 1,000 is on its way.");
    expect(words).not.toContain("due back");
  });
});

describe("the mail about a payment", () => {
  test.each(languages)("thanks in the language %s only while the order stands", async (language) => {
    const { orderId, paymentId } = await paidOrder();
    const thanks = { ru: "Спасибо", en: "Thank you" }[language];
    expect(await wordsOf("payment-received", { paymentId }, language)).toContain(thanks);
    await cancel(orderId);
    const words = await wordsOf("payment-received", { paymentId }, language);
    expect(words).not.toContain(thanks);
    expect(words).toContain({ ru: "Вам причитается возврат 1 000 ₽", en: "RUB 1,000 is due back to you" }[language]);
  });
});

describe("the mail about money that matches nothing", () => {
  test.each(unmatchedReasons)("says why (%s), and what becomes of it", async (unmatchedReason) => {
    const { paymentId, orderId } = await unmatched({ unmatchedReason });
    for (const language of languages) {
      const words = await wordsOf("payment-unmatched", { paymentId }, language);
      expect(words).toContain({ ru: "700 ₽", en: "RUB 700" }[language]);
      expect(words).toContain({ ru: "свяжемся с вами", en: "will contact you" }[language]);
      expect(words).toContain(orderId.slice(0, 8));
      expect(words).not.toMatch(/Спасибо|Thank/);
    }
  });

  test("says what staff has done with it meanwhile, and asks staff for nothing more", async () => {
    const { paymentId } = await unmatched();
    expect(await wordsOf("payment-unmatched-staff", { paymentId })).toContain("GET /payments?state=unmatched");
    await db.transaction((tx) => assignToBalance(tx, { id: paymentId, userId }));
    expect(await wordsOf("payment-unmatched", { paymentId })).toContain("Мы зачислили эти деньги на баланс.");
    expect(await wordsOf("payment-unmatched-staff", { paymentId })).toContain("уже разобрались");
  });

  test("names a deleted order, leads to no page, and promises a guest no balance", async () => {
    const originalOrderId = randomUUID();
    const gone = { orderId: null, originalOrderId, unmatchedReason: "order_deleted" as const };
    const { paymentId } = await unmatched({ ...gone, createdBy: null });
    for (const kind of ["payment-unmatched", "payment-unmatched-staff"] as const) {
      const words = await wordsOf(kind, { paymentId });
      expect(words).toContain(originalOrderId.slice(0, 8));
      expect(words).not.toContain("https://");
    }
    expect(await wordsOf("payment-unmatched", { paymentId })).toContain("Мы вернём эти деньги и свяжемся с вами.");
  });
});

describe("the mail about a refund", () => {
  const goes: Record<PaymentMethod, string> = {
    BALANCE: "на ваш баланс",
    CARD: "на карту",
    INVOICE: "на счёт, с которого",
    CASH: "наличными",
  };
  test.each(paymentMethods)("of a payment by %s says how much goes back, and where", async (method) => {
    const [{ id: orderId }, paymentId] = [await orderOf(), randomUUID()];
    await addPayment(db, { id: paymentId, orderId, amountRub: 1_000, method });
    const refundId = await db.transaction((tx) => refundPayment(tx, { paymentId, amountRub: 300, createdBy: null }));
    const words = await wordsOf("payment-refunded", { refundId });
    expect(words).toContain("Возврат 300 ₽ по заказу");
    expect(words).toContain(goes[method]);
    expect(words).not.toContain("1 000");
  });
});

describe("the mail about a waybill", () => {
  test.each(["customer", "guest"])("of a %s tells goods that come back from goods that leave", async (who) => {
    const { orderId: id } = await paidOrder(who === "guest" ? null : userId);
    const order = { id };
    const { employee: authorId } = userIds;
    const lines = [{ offerId, quantity: 2 }];
    const wanted = { authorId, customerId: null, orderId: order.id, returnOf: null, note: null, lines };
    const commit = async (waybillId: string) => {
      await db.transaction((tx) => commitWaybill(tx, { waybillId, userId: authorId }));
      return waybillId;
    };
    const deliveryId = await db.transaction((tx) => createWaybill(tx, { ...wanted, waybillType: "WAYBILL_OUT" }));
    const left = await wordsOf("waybill-committed", { waybillId: await commit(deliveryId) });
    expect(left).toMatch(/Накладная № \d{4}-\d+ проведена/);
    expect(left).toContain("Доставка");
    const returnId = await db.transaction((tx) => returnDelivery(tx, { deliveryId, authorId }));
    const back = await wordsOf("waybill-committed", { waybillId: await commit(returnId) });
    expect(back).toMatch(/Возвращённый товар принят по накладной № \d{4}-\d+/);
    expect(back).toContain(`https://shop.test/orders/${order.id}`);
    const credited = "Стоимость возвращённого товара зачислена на ваш баланс.";
    const due = "Вам причитается возврат 1 000 ₽: мы вернём эти деньги и свяжемся с вами.";
    expect([back.includes(credited), back.includes(due)]).toEqual([who === "customer", who === "guest"]);
    for (const sent of ["проведена", "Доставка", "Bartholomew"]) expect(back).not.toContain(sent);
  });
});
