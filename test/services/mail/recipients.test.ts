import { randomUUID } from "node:crypto";
import { In } from "typeorm";
import { describe, expect, test } from "vitest";
import type { Language, User } from "../../../src/db/entities/accounts/user.ts";
import { Mail } from "../../../src/db/entities/mail/mail.ts";
import { StockMovement } from "../../../src/db/entities/stock/stock-movement.ts";
import { type MailKindName, mailKindNames } from "../../../src/jobs/mail-kinds.ts";
import { takeOverUser } from "../../../src/services/accounts/identity-events.ts";
import { finishDocument, requestDocument } from "../../../src/services/documents/documents.ts";
import { type MailedEvent, requestEventMails } from "../../../src/services/mail/event-mails.ts";
import { requestPriceListMail, requestVerificationMail } from "../../../src/services/mail/mails.ts";
import { noticeSpanMs, requestStaffNotices, singleNotices } from "../../../src/services/mail/staff-notices.ts";
import { shopUrl } from "../../../src/services/shop-url.ts";
import { requestLowStockMails } from "../../../src/services/stock/low-stock.ts";
import { addOffer } from "../../support/catalogue.ts";
import { useDatabase } from "../../support/database.ts";
import { addOrder, addPayment } from "../../support/orders.ts";
import { addUser } from "../../support/users.ts";
import { addWaybill } from "../../support/waybills.ts";

const db = useDatabase();
const newAddress = () => `${randomUUID()}@test.example`;

/** A buyer, the address in the order, and the member of staff who handles it. */
interface Buyer {
  account: User | null;
  ordered: string;
  language: Language;
  author: User;
}

/** New people for each test; the employee of a guest reads another language than the guest. */
const buyers = {
  async guest(): Promise<Buyer> {
    const author = await addUser(db, { role: "EMPLOYEE", language: "en" });
    return { account: null, ordered: newAddress(), language: "ru", author };
  },
  async customer(): Promise<Buyer> {
    const account = await addUser(db, { language: "en" });
    return { account, ordered: newAddress(), language: "en", author: await addUser(db, { role: "EMPLOYEE" }) };
  },
  async "member of staff"(): Promise<Buyer> {
    const account = await addUser(db, { role: "EMPLOYEE", language: "en" });
    return { account, ordered: newAddress(), language: "en", author: account };
  },
} as const;

const tell = (event: Omit<MailedEvent, "id" | "data">, data = {}, staff: readonly string[] = []) =>
  db.transaction((tx) => requestEventMails(tx, [{ id: randomUUID(), ...event, data }], { staff, unprovedPerDay: 0 }));
const orderOf = ({ account, ordered }: Buyer) => addOrder(db, { userId: account?.id ?? null, email: ordered });
const deliveryTo = async (buyer: Buyer) => {
  const { account, author } = buyer;
  const values = { authorId: author.id, customerId: account?.id ?? author.id };
  return { ...values, ...(await addWaybill(db, { ...values, orderId: (await orderOf(buyer)).id })) };
};
const unmatchedOf = async (buyer: Buyer) => {
  const [{ id: orderId }, id] = [await orderOf(buyer), randomUUID()];
  await addPayment(db, { id, orderId, amountRub: 100, state: "unmatched", unmatchedReason: "order_canceled" });
  return id;
};
const aboutOrder = ({ ordered, language }: Buyer) => [`${ordered} ${language}`];
const aboutAccount = ({ account }: Buyer) => (account ? [`${account.email} ${account.language}`] : []);
/** The address belongs to an account, or is known to the configuration alone. */
const toAddress = (address: string, { account }: Buyer) => [`${address} ${account?.language ?? "ru"}`];
const addressOf = ({ account, ordered }: Buyer) => account?.email ?? ordered;
const shop = { payee: null, publicUrl: (key: string) => key };

/** Has each kind of mail sent about a buyer, and gives the recipients with their languages that it is to have. */
const ways: Record<MailKindName, (buyer: Buyer) => Promise<string[]>> = {
  async "order-received"(buyer) {
    await tell({ type: "order.created", entityId: (await orderOf(buyer)).id });
    return aboutOrder(buyer);
  },
  async "order-status"(buyer) {
    await tell({ type: "order.status_changed", entityId: (await orderOf(buyer)).id }, { status: "SHIPPING" });
    return aboutOrder(buyer);
  },
  async "payment-received"(buyer) {
    const [{ id: orderId }, id] = [await orderOf(buyer), randomUUID()];
    await addPayment(db, { id, orderId, amountRub: 100 });
    await tell({ type: "payment.paid", entityId: id });
    return aboutOrder(buyer);
  },
  async "payment-unmatched"(buyer) {
    await tell({ type: "payment.unmatched", entityId: await unmatchedOf(buyer) });
    return aboutOrder(buyer);
  },
  async "payment-unmatched-staff"(buyer) {
    await tell({ type: "payment.unmatched", entityId: await unmatchedOf(buyer) }, {}, [addressOf(buyer)]);
    return toAddress(addressOf(buyer), buyer);
  },
  async "payment-refunded"(buyer) {
    const [{ id: orderId }, id] = [await orderOf(buyer), randomUUID()];
    await addPayment(db, { id, orderId, amountRub: 100, state: "refunded" });
    await tell({ type: "payment.refunded", entityId: id }, { refund_id: randomUUID() });
    return aboutOrder(buyer);
  },
  async "waybill-committed"(buyer) {
    await tell({ type: "waybill.committed", entityId: (await deliveryTo(buyer)).id });
    return aboutOrder(buyer);
  },
  async "document-ready"(buyer) {
    const { account, author } = buyer;
    const wanted = { kind: "order", format: "pdf", parameters: { id: (await orderOf(buyer)).id } } as const;
    const requestedBy = account?.id ?? author.id;
    const { jobId } = await db.transaction((tx) => requestDocument(tx, { ...wanted, requestedBy, notify: true }, shop));
    const made = { objectKey: "a.pdf", contentType: "application/pdf", bytes: 1, sha256: "0".repeat(64) };
    const file = { ...made, sourceHash: null, readyAt: new Date() };
    await db.transaction((tx) => finishDocument(tx, String(jobId), file));
    return aboutAccount({ ...buyer, account: account ?? author });
  },
  async welcome() {
    const [id, email] = [randomUUID(), newAddress()];
    const user = { id, email, emailVerified: null, firstName: "", lastName: "", updatedAt: null };
    await db.transaction((tx) => takeOverUser(tx, user, { hasRegistered: true, maxMails: 0 }));
    return [`${email} ru`];
  },
  async "verify-email"(buyer) {
    const { ordered: recipient, language } = buyer;
    const wanted = { recipient, language, url: `${shopUrl}/verify?token=${randomUUID()}`, maxMails: 0 };
    await db.transaction((tx) => requestVerificationMail(tx, wanted));
    return aboutOrder(buyer);
  },
  async "price-list"(buyer) {
    const recipient = addressOf(buyer);
    await db.transaction((tx) => requestPriceListMail(tx, { recipient, maxMails: 0 }));
    return toAddress(recipient, buyer);
  },
  async "order-received-staff"(buyer) {
    await tell({ type: "order.created", entityId: (await orderOf(buyer)).id }, {}, [addressOf(buyer)]);
    return toAddress(addressOf(buyer), buyer);
  },
  async "orders-received-staff"(buyer) {
    const createdAt = new Date(Math.floor(Date.now() / noticeSpanMs) * noticeSpanMs);
    const orders = Array.from({ length: singleNotices + 1 }, () => ({ id: randomUUID(), createdAt }));
    await db.transaction((tx) => requestStaffNotices(tx, { staff: [addressOf(buyer)], orders }));
    return toAddress(addressOf(buyer), buyer);
  },
  async "low-stock"(buyer) {
    const { id: offerId } = await addOffer(db, { quantity: 1 });
    const { id: waybillId, lineIds } = await addWaybill(db, {
      ...{ authorId: buyer.author.id, customerId: buyer.author.id, lines: [{ offerId }] },
    });
    await db.manager.insert(StockMovement, {
      ...{ offerId, waybillId, waybillOfferId: String(lineIds[0]), waybillType: "WAYBILL_OUT", delta: -1 },
      ...{ quantityBefore: 2, quantityAfter: 1, userId: buyer.author.id },
    });
    const until = new Date(Date.now() + 60_000);
    await db.transaction((tx) => requestLowStockMails(tx, { until, staff: [addressOf(buyer)] }));
    return toAddress(addressOf(buyer), buyer);
  },
};

/** The mails to everyone who has to do with a purchase, with their languages. */
async function mailsTo({ ordered, account, author }: Buyer, kind: MailKindName, others: readonly string[] = []) {
  const addresses = [ordered, account?.email, author.email, ...others.map((one) => one.split(" ")[0])];
  const mails = await db.manager.findBy(Mail, { kind, recipient: In(addresses.map(String)) });
  return mails.map(({ recipient, language }) => `${recipient} ${language}`);
}

describe.each(Object.keys(buyers) as (keyof typeof buyers)[])("of a %s", (who) => {
  test.each(mailKindNames)("a mail of the kind %s has the recipient and the language of the one rule", async (kind) => {
    const buyer = await buyers[who]();
    const expected = await ways[kind](buyer);
    expect(await mailsTo(buyer, kind, expected)).toEqual(expected);
  });

  test("a mail about goods that come back goes to whom the delivery went to", async () => {
    const buyer = await buyers[who]();
    const { id: returnOf, customerId } = await deliveryTo(buyer);
    const { id: authorId } = await addUser(db, { role: "EMPLOYEE", language: "en" });
    const values = { returnOf, customerId, authorId, waybillType: "WAYBILL_RETURN" as const };
    await tell({ type: "waybill.committed", entityId: (await addWaybill(db, values)).id });
    expect(await mailsTo(buyer, "waybill-committed")).toEqual(aboutOrder(buyer));
  });

  test.each(["payment-unmatched", "payment-refunded"] as const)(
    "a mail of the kind %s about a deleted order goes to the account that has paid",
    async (kind) => {
      const buyer = await buyers[who]();
      const id = randomUUID();
      const from = { createdBy: buyer.account?.id ?? buyer.author.id, originalOrderId: randomUUID(), orderId: null };
      await addPayment(db, { id, amountRub: 100, state: "unmatched", unmatchedReason: "order_deleted", ...from });
      const type = kind.replace("-", ".") as MailedEvent["type"];
      await tell({ type, entityId: id }, { refund_id: randomUUID() });
      expect(await mailsTo(buyer, kind)).toEqual(who === "customer" ? aboutAccount(buyer) : []);
    },
  );
});
