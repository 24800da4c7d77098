import type { Language } from "../../../db/entities/accounts/user.ts";
import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { type DueBack, dueBackSentences } from "./due-back.ts";
import { exampleOrder, goods, type MailedLine } from "./order-data.ts";
import { orderButton, type Shipping, shippingFacts } from "./shipping.ts";

interface MailedWaybill {
  /** As on the paper. */
  number: string;
  /** The goods come back from the customer. */
  isReturn: boolean;
  /** The number of the delivery that they come back from, where it is known. */
  deliveryNumber: string | undefined;
  /** The customer's balance got the price of goods that came back. */
  isCredited: boolean;
  /** Money of the order that belongs to the customer, when goods came back. */
  dueBack: DueBack | undefined;
  /** Null: the goods were sold without one. */
  order: (Shipping & { id: string }) | null;
  lines: readonly MailedLine[];
}

const example: MailedWaybill = {
  ...{ number: "2026-17", isReturn: false, deliveryNumber: undefined },
  ...{ isCredited: false, dueBack: undefined },
  ...{ order: exampleOrder, lines: exampleOrder.lines },
};

/** To the customer of a waybill, which is attached. */
export const waybillCommitted = defineTemplate<MailedWaybill>({
  write: {
    ru: ({ number, isReturn, lines, isCredited, dueBack, ...origin }) => ({
      subject: isReturn ? `Возврат товара, накладная № ${number}` : `Накладная № ${number}`,
      heading: isReturn ? "Мы приняли товар обратно" : "Накладная проведена",
      paragraphs: [
        isReturn
          ? `Возвращённый товар принят по накладной № ${number}. Документ приложен к письму.`
          : `Накладная № ${number} проведена. Документ приложен к письму.`,
        ...(isCredited ? ["Стоимость возвращённого товара зачислена на ваш баланс."] : []),
        ...(dueBack ? dueBackSentences(dueBack, "ru") : []),
      ],
      ...factsOf({ ...origin, isReturn }, "ru"),
      ...goods(lines, "ru"),
    }),
    en: ({ number, isReturn, lines, isCredited, dueBack, ...origin }) => ({
      subject: isReturn ? `Returned goods, waybill ${number}` : `Waybill ${number}`,
      heading: isReturn ? "We have taken your goods back" : "Your waybill",
      paragraphs: [
        isReturn
          ? `Waybill ${number} lists the goods that came back. The document is attached.`
          : `Waybill ${number} is final. The document is attached.`,
        ...(isCredited ? ["The price of the returned goods is on your balance."] : []),
        ...(dueBack ? dueBackSentences(dueBack, "en") : []),
      ],
      ...factsOf({ ...origin, isReturn }, "en"),
      ...goods(lines, "en"),
    }),
  },
  example,
  variants: {
    return: { ...example, number: "2026-3", isReturn: true, deliveryNumber: "2026-17", isCredited: true },
    "return-guest": {
      ...{ ...example, number: "2026-3", isReturn: true, deliveryNumber: "2026-17" },
      dueBack: { dueBackRub: 5730, refundingRub: 0, hasBalance: false },
    },
    "no-order": { ...example, order: null },
  },
});

const labels = {
  ru: { order: "Заказ", delivery: "Возврат по накладной", number: "№ " },
  en: { order: "Order", delivery: "Returned from waybill", number: "" },
};

/** Goods that came back no longer travel. */
function factsOf(
  { order, deliveryNumber, isReturn }: Pick<MailedWaybill, "order" | "deliveryNumber" | "isReturn">,
  language: Language,
) {
  const { order: orderLabel, delivery, number } = labels[language];
  const facts = [
    ...(order ? [{ label: orderLabel, value: shortId(order.id) }] : []),
    ...(deliveryNumber ? [{ label: delivery, value: `${number}${deliveryNumber}` }] : []),
    ...(order && !isReturn ? shippingFacts(order, language) : []),
  ];
  return { ...(facts.length > 0 && { facts }), ...(order && orderButton(order, language)) };
}
