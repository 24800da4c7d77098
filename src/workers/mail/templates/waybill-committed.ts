import type { Language } from "../../../db/entities/accounts/user.ts";
import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder, goods, type MailedLine } from "./order-data.ts";
import { orderButton, type Shipping, shippingFacts } from "./shipping.ts";

interface MailedWaybill {
  /** As on the paper. */
  number: string;
  /** The goods come back from the customer. */
  isReturn: boolean;
  /** The number of the delivery that they come back from, where it is known. */
  deliveryNumber: string | undefined;
  /** Null: the goods were sold without one. */
  order: (Shipping & { id: string }) | null;
  lines: readonly MailedLine[];
}

/** To the customer of a waybill, which is attached. */
export const waybillCommitted = defineTemplate<MailedWaybill>({
  write: {
    ru: ({ number, isReturn, lines, ...origin }) => ({
      subject: isReturn ? `Возврат товара, накладная № ${number}` : `Накладная № ${number}`,
      heading: isReturn ? "Мы приняли товар обратно" : "Накладная проведена",
      paragraphs: [
        isReturn
          ? `Возвращённый товар принят по накладной № ${number}. Документ приложен к письму.`
          : `Накладная № ${number} проведена. Документ приложен к письму.`,
      ],
      ...factsOf({ ...origin, isReturn }, "ru"),
      ...goods(lines, "ru"),
    }),
    en: ({ number, isReturn, lines, ...origin }) => ({
      subject: isReturn ? `Returned goods, waybill ${number}` : `Waybill ${number}`,
      heading: isReturn ? "We have taken your goods back" : "Your waybill",
      paragraphs: [
        isReturn
          ? `Waybill ${number} lists the goods that came back. The document is attached.`
          : `Waybill ${number} is final. The document is attached.`,
      ],
      ...factsOf({ ...origin, isReturn }, "en"),
      ...goods(lines, "en"),
    }),
  },
  example: {
    ...{ number: "2026-17", isReturn: false, deliveryNumber: undefined },
    ...{ order: exampleOrder, lines: exampleOrder.lines },
  },
});

const labels = { ru: { order: "Заказ", delivery: "Накладная" }, en: { order: "Order", delivery: "Delivery note" } };

/** Goods that came back no longer travel. */
function factsOf(
  { order, deliveryNumber, isReturn }: Pick<MailedWaybill, "order" | "deliveryNumber" | "isReturn">,
  language: Language,
) {
  const { order: orderLabel, delivery } = labels[language];
  const facts = [
    ...(order ? [{ label: orderLabel, value: shortId(order.id) }] : []),
    ...(deliveryNumber ? [{ label: delivery, value: `№ ${deliveryNumber}` }] : []),
    ...(order && !isReturn ? shippingFacts(order, language) : []),
  ];
  return { ...(facts.length > 0 && { facts }), ...(order && orderButton(order, language)) };
}
