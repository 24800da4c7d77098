import type { Language } from "../../../db/entities/accounts/user.ts";
import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder, goods, type MailedLine } from "./order-data.ts";
import { orderButton, type Shipping, shippingFacts } from "./shipping.ts";

interface MailedWaybill {
  id: string;
  /** Null: the goods were sold without one. */
  order: (Shipping & { id: string }) | null;
  lines: readonly MailedLine[];
}

/** To the customer of a waybill, which is attached. */
export const waybillCommitted = defineTemplate<MailedWaybill>({
  write: {
    ru: ({ id, lines, order }) => ({
      subject: `Накладная ${shortId(id)}`,
      heading: "Накладная проведена",
      paragraphs: [`Накладная ${shortId(id)} проведена. Документ приложен к письму.`],
      ...(order && { facts: orderOf(order, "ru"), ...orderButton(order, "ru") }),
      ...goods(lines, "ru"),
    }),
    en: ({ id, lines, order }) => ({
      subject: `Waybill ${shortId(id)}`,
      heading: "Your waybill",
      paragraphs: [`Waybill ${shortId(id)} is final. The document is attached.`],
      ...(order && { facts: orderOf(order, "en"), ...orderButton(order, "en") }),
      ...goods(lines, "en"),
    }),
  },
  example: { id: "8a7b6c5d-4e3f-4210-8b9c-0d1e2f3a4b5c", order: exampleOrder, lines: exampleOrder.lines },
});

function orderOf(order: Shipping & { id: string }, language: Language) {
  const label = { ru: "Заказ", en: "Order" }[language];
  return [{ label, value: shortId(order.id) }, ...shippingFacts(order, language)];
}
