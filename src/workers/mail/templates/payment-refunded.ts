import type { Language } from "../../../db/entities/accounts/user.ts";
import { type PaymentMethod, paymentMethods } from "../../../db/entities/payments/payment.ts";
import { formatRub, formatTime, shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder } from "./order-data.ts";
import { orderButton } from "./shipping.ts";

interface RefundedMoney {
  orderId: string;
  /** Of this refund; a payment may have several. */
  amountRub: number;
  at: Date;
  method: PaymentMethod;
  /** The page of the order, if there are both. */
  url: string | undefined;
}

const where: Record<PaymentMethod, Record<Language, string>> = {
  BALANCE: { ru: "Деньги зачислены на ваш баланс.", en: "The money is on your balance." },
  CARD: {
    ru: "Деньги вернутся на карту, с которой вы платили. Сколько это займёт, зависит от банка: обычно несколько дней.",
    en: "The money goes back to the card that you paid with. It depends on the bank how long that takes: usually a few days.",
  },
  INVOICE: {
    ru: "Деньги вернутся на счёт, с которого вы платили. Сколько это займёт, зависит от банка: обычно несколько дней.",
    en: "The money goes back to the account that you paid from. It depends on the bank how long that takes: usually a few days.",
  },
  CASH: { ru: "Деньги возвращены наличными.", en: "The money was given back in cash." },
};

const example: RefundedMoney = {
  orderId: exampleOrder.id,
  amountRub: 1380,
  at: new Date("2026-11-24T09:12:00Z"),
  method: "CARD",
  url: exampleOrder.url,
};

/** To the payer: money has been given back, and where it goes. */
export const paymentRefunded = defineTemplate<RefundedMoney>({
  write: {
    ru: ({ orderId, amountRub, at, method, ...order }) => ({
      subject: `Возврат ${formatRub(amountRub, "ru")} по заказу ${shortId(orderId)}`,
      heading: "Возврат денег",
      paragraphs: [where[method].ru],
      facts: [
        { label: "Заказ", value: shortId(orderId) },
        { label: "Сумма возврата", value: formatRub(amountRub, "ru") },
        { label: "Время", value: formatTime(at, "ru") },
      ],
      ...orderButton(order, "ru"),
    }),
    en: ({ orderId, amountRub, at, method, ...order }) => ({
      subject: `Refund of ${formatRub(amountRub, "en")} for order ${shortId(orderId)}`,
      heading: "Your refund",
      paragraphs: [where[method].en],
      facts: [
        { label: "Order", value: shortId(orderId) },
        { label: "Amount of the refund", value: formatRub(amountRub, "en") },
        { label: "Time", value: formatTime(at, "en") },
      ],
      ...orderButton(order, "en"),
    }),
  },
  example,
  variants: Object.fromEntries(paymentMethods.map((method) => [method.toLowerCase(), { ...example, method }])),
});
