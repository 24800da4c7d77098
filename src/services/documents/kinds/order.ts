import { z } from "zod";
import { documentSources, type PrintedLine } from "../../../db/dao/documents/document-sources.ts";
import type { OrderBooks } from "../../../db/dao/payments/order-books.ts";
import type { Order, OrderStatus } from "../../../db/entities/orders/order.ts";
import { businessDay, formatDay } from "../../business-day.ts";
import { dueBackRub, dueRub, getOrderBooks, paidRub } from "../../payments/order-balance.ts";
import { amountInWords } from "./amount-in-words.ts";
import { defineKind, sheetFormats } from "./define-kind.ts";
import { type Layout, roubles } from "./layout.ts";
import { contactFields, latest, linesTable, totalOf } from "./sheet-parts.ts";

/** The confirmation of an order, for the customer and for the packer. */
export const orderKind = defineKind({
  kind: "order",
  summary: "An order as it was placed",
  formats: sheetFormats,
  asked: z.object({ id: z.uuid() }),
  missing: "Order not found",
  about: "order",
  names: ({ id }) => ({ shown: `Заказ ${id}`, ascii: `order_${id}` }),
  async source(tx, { id }) {
    const order = await documentSources.order(tx, id);
    if (!order) return null;
    const lines = await documentSources.orderLines(tx, id);
    const books = await getOrderBooks(tx, id);
    return { state: [order, lines, books], content: () => orderLayout(order, lines, books) };
  },
});

const statuses: Record<OrderStatus, string> = {
  NEW: "Новый",
  IN_PROGRESS: "В работе",
  SHIPPING: "Отправлен",
  COMPLETED: "Выполнен",
  CANCELED: "Отменён",
};

/** What is paid, and what is due to whom. */
function moneyOf(books: OrderBooks) {
  const { status, returnedRub } = books;
  const [due, back] = [dueRub(books), dueBackRub(books)];
  const parts = [
    `Оплачено: ${roubles(paidRub(books))}`,
    ...(returnedRub > 0 ? [`возвращено товаров на сумму: ${roubles(returnedRub)}`] : []),
    ...(status === "CANCELED" && due === 0 ? [] : [`к оплате: ${roubles(due)}`]),
    ...(back > 0 ? [`к возврату покупателю: ${roubles(back)}`] : []),
  ];
  return parts.join(", ");
}

function orderLayout(order: Order, lines: readonly PrintedLine[], books: OrderBooks): Layout {
  const { name, phone, city, shipping } = contactFields(order);
  const street = [order.street, order.house].filter(Boolean).join(", ");
  const address = order.address ?? [order.postalCode, street].filter(Boolean).join(", ");
  return {
    title: `Заказ № ${order.id}`,
    blocks: [
      {
        type: "fields",
        fields: [
          { label: "Дата", value: formatDay(businessDay(order.createdAt)) },
          { label: "Состояние", value: statuses[order.status] },
          name,
          phone,
          { label: "E-mail", value: order.email },
          city,
          { label: "Адрес", value: address },
          shipping,
          ...(order.note ? [{ label: "Примечание", value: order.note }] : []),
        ],
      },
      linesTable(lines),
      { type: "text", text: `Сумма заказа: ${amountInWords(totalOf(lines))}`, isStrong: true },
      { type: "text", text: moneyOf(books) },
    ],
    changedAt: latest(order, lines),
  };
}
