import { formatRub, formatTime, shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { type DueBack, dueBackSentences, exampleDueBack } from "./due-back.ts";
import { exampleOrder } from "./order-data.ts";
import { orderButton, type Shipping, shippingFacts } from "./shipping.ts";

interface ReceivedPayment extends Shipping {
  orderId: string;
  amountRub: number;
  at: Date;
  /** Set when the order is canceled when the mail goes out: then there are no thanks, and the goods do not travel. */
  canceled: DueBack | undefined;
}

const example = {
  ...exampleOrder,
  orderId: exampleOrder.id,
  amountRub: 5730,
  at: new Date("2026-11-22T16:31:00Z"),
};

/** To the payer. */
export const paymentReceived = defineTemplate<ReceivedPayment>({
  write: {
    ru: ({ orderId, amountRub, at, canceled, ...order }) => ({
      subject: canceled
        ? `О вашем платеже по отменённому заказу ${shortId(orderId)}`
        : `Оплата заказа ${shortId(orderId)} получена`,
      heading: canceled ? "О вашем платеже" : "Оплата получена",
      paragraphs: canceled
        ? ["Мы получили ваш платёж; сам заказ отменён.", ...dueBackSentences(canceled, "ru")]
        : ["Спасибо! Мы получили оплату вашего заказа."],
      facts: [
        { label: "Заказ", value: shortId(orderId) },
        { label: "Сумма", value: formatRub(amountRub, "ru") },
        { label: "Время", value: formatTime(at, "ru") },
        ...(canceled ? [] : shippingFacts(order, "ru")),
      ],
      ...orderButton(order, "ru"),
    }),
    en: ({ orderId, amountRub, at, canceled, ...order }) => ({
      subject: canceled
        ? `About your payment for cancelled order ${shortId(orderId)}`
        : `We have received the payment for order ${shortId(orderId)}`,
      heading: canceled ? "About your payment" : "Payment received",
      paragraphs: canceled
        ? ["We have received your payment; the order itself is cancelled.", ...dueBackSentences(canceled, "en")]
        : ["Thank you! We have received the payment for your order."],
      facts: [
        { label: "Order", value: shortId(orderId) },
        { label: "Amount", value: formatRub(amountRub, "en") },
        { label: "Time", value: formatTime(at, "en") },
        ...(canceled ? [] : shippingFacts(order, "en")),
      ],
      ...orderButton(order, "en"),
    }),
  },
  example: { ...example, canceled: undefined },
  variants: { canceled: { ...example, canceled: exampleDueBack } },
});
