import type { Language } from "../../../db/entities/accounts/user.ts";
import { formatRub, formatTime, shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder } from "./order-data.ts";

export interface NewOrders {
  since: Date;
  until: Date;
  /** The number of all orders; `orders` are the first ones. */
  count: number;
  orders: readonly { id: string; createdAt: Date; sumRub: number }[];
}

const rows = ({ orders }: NewOrders, language: Language) =>
  orders.map(({ id, createdAt, sumRub }) => ({
    name: shortId(id),
    detail: formatTime(createdAt, language),
    amount: formatRub(sumRub, language),
  }));

/** To staff: many new orders at once share one mail. */
export const ordersReceivedStaff = defineTemplate<NewOrders>({
  write: {
    ru: (data) => ({
      subject: `Новые заказы: ${data.count}`,
      heading: `Новых заказов за десять минут: ${data.count}`,
      paragraphs: [
        "Их пришло так много, что отдельные письма отправлены только о первых.",
        ...(data.count > data.orders.length
          ? [`В списке ${data.orders.length} из ${data.count}, на складе видны все.`]
          : []),
      ],
      facts: [
        { label: "С", value: formatTime(data.since, "ru") },
        { label: "До", value: formatTime(data.until, "ru") },
      ],
      lines: rows(data, "ru"),
    }),
    en: (data) => ({
      subject: `New orders: ${data.count}`,
      heading: `New orders in ten minutes: ${data.count}`,
      paragraphs: [
        "Only the first of them had a mail of their own.",
        ...(data.count > data.orders.length
          ? [`The list shows ${data.orders.length} of ${data.count}; the warehouse shows all.`]
          : []),
      ],
      facts: [
        { label: "From", value: formatTime(data.since, "en") },
        { label: "Until", value: formatTime(data.until, "en") },
      ],
      lines: rows(data, "en"),
    }),
  },
  example: {
    since: new Date("2026-11-22T16:20:00Z"),
    until: new Date("2026-11-22T16:30:00Z"),
    count: 30,
    orders: [{ id: exampleOrder.id, createdAt: exampleOrder.createdAt, sumRub: 5_730 }],
  },
});
