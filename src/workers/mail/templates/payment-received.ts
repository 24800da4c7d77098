import { formatRub, formatTime, shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder } from "./order-data.ts";
import { orderButton, type Shipping, shippingFacts } from "./shipping.ts";

/** To the payer. */
export const paymentReceived = defineTemplate<Shipping & { orderId: string; amountRub: number; at: Date }>({
  write: {
    ru: ({ orderId, amountRub, at, ...order }) => ({
      subject: `Оплата заказа ${shortId(orderId)} получена`,
      heading: "Оплата получена",
      paragraphs: ["Спасибо! Мы получили оплату вашего заказа."],
      facts: [
        { label: "Заказ", value: shortId(orderId) },
        { label: "Сумма", value: formatRub(amountRub, "ru") },
        { label: "Время", value: formatTime(at, "ru") },
        ...shippingFacts(order, "ru"),
      ],
      ...orderButton(order, "ru"),
    }),
    en: ({ orderId, amountRub, at, ...order }) => ({
      subject: `We have received the payment for order ${shortId(orderId)}`,
      heading: "Payment received",
      paragraphs: ["Thank you! We have received the payment for your order."],
      facts: [
        { label: "Order", value: shortId(orderId) },
        { label: "Amount", value: formatRub(amountRub, "en") },
        { label: "Time", value: formatTime(at, "en") },
        ...shippingFacts(order, "en"),
      ],
      ...orderButton(order, "en"),
    }),
  },
  example: { ...exampleOrder, orderId: exampleOrder.id, amountRub: 5730, at: new Date("2026-11-22T16:31:00Z") },
});
