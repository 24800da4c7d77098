import { z } from "zod";
import { documentSources, type PrintedLine } from "../../../db/dao/documents/document-sources.ts";
import type { Order } from "../../../db/entities/orders/order.ts";
import { ConflictError } from "../../../errors.ts";
import { businessDay, formatDay } from "../../business-day.ts";
import { amountInWords, declined } from "./amount-in-words.ts";
import { contactFields } from "./contact.ts";
import { defineKind, type Payee, sheetFormats } from "./define-kind.ts";
import { type Block, type Layout, roubles } from "./layout.ts";
import { latest, linesTable, totalOf } from "./lines.ts";
import { paymentCode } from "./payment-code.ts";

/** The invoice of an order, with a code that banking apps read. */
export const invoiceKind = defineKind({
  kind: "invoice",
  summary: "The invoice of an order, with its payment QR code",
  formats: sheetFormats,
  asked: z.object({ id: z.uuid().meta({ description: "The order" }) }),
  missing: "Order not found",
  about: "order",
  names: ({ id }) => ({ shown: `Счёт ${id}`, ascii: `invoice_${id}` }),
  async source(tx, { id }, { payee }) {
    const order = await documentSources.order(tx, id);
    if (!order) return null;
    if (!payee) throw new ConflictError("There are no invoices here: set PAYEE to the account that receives the money");
    const lines = await documentSources.orderLines(tx, id);
    return { state: [order, lines, payee], content: () => invoiceLayout(order, lines, payee) };
  },
});

function invoiceLayout(order: Order, lines: readonly PrintedLine[], payee: Payee): Layout {
  const { name, phone } = contactFields(order);
  const day = formatDay(businessDay(order.createdAt));
  const total = totalOf(lines);
  const count = `${lines.length} ${declined(lines.length, ["наименование", "наименования", "наименований"])}`;
  return {
    title: `Счёт на оплату № ${order.id}`,
    blocks: [
      {
        type: "fields",
        fields: [
          { label: "Дата", value: day },
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
      ...paymentBlocks(payee, `Оплата заказа № ${order.id} от ${day}`, total),
      { type: "signatures", roles: ["Руководитель", "Бухгалтер"] },
    ],
    changedAt: latest(order, lines),
  };
}

/** An order without a price needs no code, and no bank would accept one. */
function paymentBlocks(payee: Payee, purpose: string, total: number): Block[] {
  if (total <= 0) return [];
  const caption = `Оплата по QR-коду в приложении банка\nНазначение: ${purpose}`;
  return [{ type: "code", text: paymentCode(payee, purpose, total), caption }];
}
