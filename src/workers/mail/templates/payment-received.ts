import { formatRub, formatTime, shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";

/** To the payer. */
export const paymentReceived = defineTemplate<{ orderId: string; amountRub: number; at: Date }>({
  write: {
    ru: ({ orderId, amountRub, at }) => ({
      subject: `Оплата заказа ${shortId(orderId)} получена`,
      heading: "Оплата получена",
      paragraphs: ["Спасибо! Мы получили оплату вашего заказа."],
      facts: [
        { label: "Заказ", value: shortId(orderId) },
        { label: "Сумма", value: formatRub(amountRub, "ru") },
        { label: "Время", value: formatTime(at, "ru") },
      ],
    }),
    en: ({ orderId, amountRub, at }) => ({
      subject: `We have received the payment for order ${shortId(orderId)}`,
      heading: "Payment received",
      paragraphs: ["Thank you! We have received the payment for your order."],
      facts: [
        { label: "Order", value: shortId(orderId) },
        { label: "Amount", value: formatRub(amountRub, "en") },
        { label: "Time", value: formatTime(at, "en") },
      ],
    }),
  },
  example: {
    orderId: "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071",
    amountRub: 5730,
    at: new Date("2026-11-22T16:31:00Z"),
  },
});
