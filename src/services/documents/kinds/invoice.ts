import { z } from "zod";
import { documentSources, type PrintedLine } from "../../../db/dao/documents/document-sources.ts";
import { type Invoice, invoices } from "../../../db/dao/documents/invoices.ts";
import type { OrderBooks } from "../../../db/dao/payments/order-books.ts";
import type { Order } from "../../../db/entities/orders/order.ts";
import { ConflictError } from "../../../errors.ts";
import { businessDay, formatDay } from "../../business-day.ts";
import { dueBackRub, dueRub, getOrderBooks, paidRub } from "../../payments/order-balance.ts";
import { amountInWords, declined } from "./amount-in-words.ts";
import { defineKind, type Payee, sheetFormats } from "./define-kind.ts";
import { type Block, type Layout, roubles } from "./layout.ts";
import { contactFields, latest, linesTable, totalOf } from "./sheet-parts.ts";

/** The invoice of an order, with a code that banking apps read. */
export const invoiceKind = defineKind({
  kind: "invoice",
  summary: "The invoice of an order, with its payment QR code",
  formats: sheetFormats,
  asked: z.object({ id: z.uuid().meta({ description: "The order" }) }),
  missing: "Order not found",
  about: "order",
  issue: (tx, { id }) => invoices.issue(tx, id),
  names: ({ id }) => ({ shown: `Счёт ${id}`, ascii: `invoice_${id}` }),
  async source(tx, { id }, { payee }) {
    const order = await documentSources.order(tx, id);
    if (!order) return null;
    if (!payee) throw new ConflictError("There are no invoices here: set PAYEE to the account that receives the money");
    const lines = await documentSources.orderLines(tx, id);
    const paper = { order, lines, payee, invoice: await invoices.ofOrder(tx, id), books: await getOrderBooks(tx, id) };
    return { state: paper, content: () => invoiceLayout(paper) };
  },
});

interface Paper {
  order: Order;
  lines: readonly PrintedLine[];
  payee: Payee;
  /** Null only of a document that was asked for before invoices had numbers. */
  invoice: Invoice | null;
  books: OrderBooks;
}

function invoiceLayout({ order, lines, payee, invoice, books }: Paper): Layout {
  const { name, phone } = contactFields(order);
  const orderDay = formatDay(businessDay(order.createdAt));
  const number = invoice ? `${invoice.year}-${invoice.number}` : order.id;
  const total = totalOf(lines);
  const count = `${lines.length} ${declined(lines.length, ["наименование", "наименования", "наименований"])}`;
  return {
    title: `Счёт на оплату № ${number}`,
    blocks: [
      {
        type: "fields",
        fields: [
          { label: "Дата", value: formatDay(businessDay(invoice?.issuedAt ?? order.createdAt)) },
          { label: "Заказ", value: `№ ${order.id} от ${orderDay}` },
          { label: "Получатель", value: payee.name },
          { label: payee.kpp ? "ИНН / КПП" : "ИНН", value: [payee.inn, payee.kpp].filter(Boolean).join(" / ") },
          { label: "Расч. счёт", value: payee.account },
          { label: "Банк", value: payee.bank },
          { label: "БИК", value: payee.bic },
          { label: "Корр. счёт", value: payee.correspondentAccount },
          { label: "Плательщик", value: [name.value, phone.value].filter(Boolean).join(", ") },
        ],
      },
      linesTable(lines),
      { type: "text", text: `Всего ${count} на сумму ${roubles(total)}` },
      { type: "text", text: amountInWords(total), isStrong: true },
      ...dueBlocks(books),
      ...paymentBlocks(payee, `Оплата по счёту № ${number}, заказ № ${order.id} от ${orderDay}`, dueRub(books)),
      { type: "signatures", roles: ["Руководитель", "Бухгалтер"] },
    ],
    changedAt: latest(order, lines),
  };
}

/** What is paid and what is due; nothing when the whole sum is due, which the invoice says already. */
function dueBlocks(books: OrderBooks): Block[] {
  const [paid, due, back] = [paidRub(books), dueRub(books), dueBackRub(books)];
  if (books.status === "CANCELED") {
    const returned = back > 0 ? ` К возврату покупателю: ${roubles(back)}` : "";
    const rest =
      due > 0 ? `. К оплате за отгруженные товары: ${roubles(due)} (${amountInWords(due)})` : ", оплата не требуется.";
    return [{ type: "text", text: `Заказ отменён${rest}${returned}`, isStrong: true }];
  }
  if (paid === 0 && books.returnedRub === 0) return [];
  const nothing = paid > 0 ? "Счёт оплачен полностью." : "Оплата не требуется.";
  const rest = due === 0 ? nothing : `К оплате: ${roubles(due)} (${amountInWords(due)})`;
  return [
    ...(books.returnedRub > 0
      ? [{ type: "text" as const, text: `Возвращено товаров на сумму: ${roubles(books.returnedRub)}` }]
      : []),
    { type: "text", text: `Оплачено: ${roubles(paid)}` },
    ...(back > 0 ? [{ type: "text" as const, text: `К возврату покупателю: ${roubles(back)}` }] : []),
    { type: "text", text: rest, isStrong: true },
  ];
}

/** Nothing due needs no code, and no bank would accept one. */
function paymentBlocks(payee: Payee, purpose: string, due: number): Block[] {
  if (due <= 0) return [];
  const caption = `Оплата по QR-коду в приложении банка\nНазначение: ${purpose}`;
  return [{ type: "code", text: paymentCode(payee, purpose, due), caption }];
}

/**
 * The text of an invoice's QR code for banking apps (GOST R 56042-2014): format 0001 in UTF-8. Throws `RangeError`
 * unless the sum is whole roubles above 0.
 */
export function paymentCode(payee: Payee, purpose: string, sumRub: number): string {
  if (!Number.isSafeInteger(sumRub) || sumRub <= 0) throw new RangeError(`'${sumRub}' roubles cannot be paid`);
  const fields = {
    // The first five are required, in this order.
    Name: payee.name,
    PersonalAcc: payee.account,
    BankName: payee.bank,
    BIC: payee.bic,
    CorrespAcc: payee.correspondentAccount,
    PayeeINN: payee.inn,
    ...(payee.kpp && { KPP: payee.kpp }),
    Purpose: purpose,
    // Copecks.
    Sum: String(sumRub * 100),
  };
  const values = Object.entries(fields).map(([name, value]) => `${name}=${value.replace(/[|\p{Cc}]/gu, " ").trim()}`);
  return `ST00012|${values.join("|")}`;
}
