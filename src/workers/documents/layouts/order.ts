import type { PrintedLine } from "../../../db/dao/document-sources.ts";
import type { Order } from "../../../db/entities/order.ts";
import { businessDay, writtenDay } from "../../../services/business-day.ts";
import { contactFields } from "./contact.ts";
import { latest, linesTable } from "./lines.ts";
import type { Printout } from "./printout.ts";

/** An order for whoever packs it. */
export function orderLayout(order: Order, lines: readonly PrintedLine[]): Printout {
  const { name, phone, city, shipping } = contactFields(order);
  const street = [order.street, order.house].filter(Boolean).join(", ");
  const address = order.address ?? [order.postalCode, street].filter(Boolean).join(", ");
  return {
    title: `Заказ № ${order.id}`,
    fields: [
      { label: "Дата", value: writtenDay(businessDay(order.createdAt)) },
      name,
      phone,
      { label: "E-mail", value: order.email },
      city,
      { label: "Адрес", value: address },
      shipping,
      ...(order.note ? [{ label: "Примечание", value: order.note }] : []),
    ],
    ...linesTable(lines),
    changedAt: latest(order, lines),
  };
}
