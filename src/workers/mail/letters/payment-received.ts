import { shortId, writtenRub, writtenTime } from "../written.ts";
import { defineLetter } from "./letter-kind.ts";

/** To whoever paid. */
export const paymentReceived = defineLetter<{ orderId: string; amountRub: number; at: Date }>({
  write: {
    ru: ({ orderId, amountRub, at }) => ({
      subject: `Оплата заказа ${shortId(orderId)} получена`,
      heading: "Оплата получена",
      paragraphs: ["Спасибо! Мы получили оплату вашего заказа."],
      facts: [
        { label: "Заказ", value: shortId(orderId) },
        { label: "Сумма", value: writtenRub(amountRub, "ru") },
        { label: "Время", value: writtenTime(at, "ru") },
      ],
    }),
    en: ({ orderId, amountRub, at }) => ({
      subject: `We have received the payment for order ${shortId(orderId)}`,
      heading: "Payment received",
      paragraphs: ["Thank you! We have received the payment for your order."],
      facts: [
        { label: "Order", value: shortId(orderId) },
        { label: "Amount", value: writtenRub(amountRub, "en") },
        { label: "Time", value: writtenTime(at, "en") },
      ],
    }),
  },
  example: {
    orderId: "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6071",
    amountRub: 5730,
    at: new Date("2026-11-22T16:31:00Z"),
  },
});
