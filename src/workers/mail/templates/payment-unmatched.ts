import type { Language } from "../../../db/entities/accounts/user.ts";
import { type PaymentState, type UnmatchedReason, unmatchedReasons } from "../../../db/entities/payments/payment.ts";
import { formatRub, formatTime, shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { givenBack } from "./due-back.ts";
import { exampleOrder } from "./order-data.ts";
import { orderButton } from "./shipping.ts";

/** Money that arrived and that its order could not take. */
export interface UnmatchedMoney {
  paymentId: string;
  /** The order that it was meant for. */
  orderId: string;
  /** The present state: staff may have decided meanwhile. */
  state: PaymentState;
  reason: UnmatchedReason;
  amountRub: number;
  at: Date;
  hasBalance: boolean;
  /** The page of the order, if there are both. */
  url: string | undefined;
}

const why: Record<UnmatchedReason, Record<Language, string>> = {
  order_canceled: {
    ru: "Деньги пришли, но заказ, за который вы платили, отменён.",
    en: "The money has arrived, but the order that it is for is cancelled.",
  },
  order_deleted: {
    ru: "Деньги пришли, но заказа, за который вы платили, больше нет.",
    en: "The money has arrived, but the order that it is for no longer exists.",
  },
  nothing_due: {
    ru: "Деньги пришли, но за заказ оставалось заплатить меньше этой суммы.",
    en: "The money has arrived, but less than this amount was left to be paid for the order.",
  },
  wrong_amount: {
    ru: "Деньги пришли, но сумма не та, которую нужно было заплатить.",
    en: "The money has arrived, but it is not the amount that was asked for.",
  },
};

const sentence = (text: string) => `${text[0]?.toUpperCase()}${text.slice(1)}.`;

/** What becomes of the money: what is planned, or what staff has done by now. */
function outcomeOf({ state, reason, hasBalance }: UnmatchedMoney, language: Language): string {
  const isOrderOver = reason === "order_canceled" || reason === "order_deleted";
  const open = {
    ru: "Мы зачтём эти деньги в оплату или вернём их и свяжемся с вами.",
    en: "We will use this money for your order or give it back, and will contact you.",
  };
  const done: Partial<Record<PaymentState, Record<Language, string>>> = {
    paid: { ru: "Мы зачли эти деньги в оплату заказа.", en: "We have used this money to pay an order." },
    credited: { ru: "Мы зачислили эти деньги на баланс.", en: "We have credited this money to a balance." },
    refunded: { ru: "Мы вернули эти деньги.", en: "We have given this money back." },
  };
  return done[state]?.[language] ?? (isOrderOver ? sentence(givenBack(hasBalance, language)) : open[language]);
}

const example: UnmatchedMoney = {
  paymentId: "7c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
  orderId: exampleOrder.id,
  state: "unmatched",
  reason: "order_canceled",
  amountRub: 5730,
  at: new Date("2026-11-22T16:31:00Z"),
  hasBalance: true,
  url: exampleOrder.url,
};

const labels = {
  ru: { order: "Заказ", amount: "Сумма", time: "Время", reason: "Причина", payment: "Платёж" },
  en: { order: "Order", amount: "Amount", time: "Time", reason: "Reason", payment: "Payment" },
};

function factsOf({ orderId, amountRub, at }: UnmatchedMoney, language: Language) {
  const { order, amount, time } = labels[language];
  return [
    { label: order, value: shortId(orderId) },
    { label: amount, value: formatRub(amountRub, language) },
    { label: time, value: formatTime(at, language) },
  ];
}

/** To the payer: money has arrived, and what becomes of it. */
export const paymentUnmatched = defineTemplate<UnmatchedMoney>({
  write: {
    ru: (money) => ({
      subject: `О вашем платеже по заказу ${shortId(money.orderId)}`,
      heading: "О вашем платеже",
      paragraphs: [why[money.reason].ru, outcomeOf(money, "ru")],
      facts: factsOf(money, "ru"),
      ...orderButton(money, "ru"),
    }),
    en: (money) => ({
      subject: `About your payment for order ${shortId(money.orderId)}`,
      heading: "About your payment",
      paragraphs: [why[money.reason].en, outcomeOf(money, "en")],
      facts: factsOf(money, "en"),
      ...orderButton(money, "en"),
    }),
  },
  example,
  variants: Object.fromEntries(
    [
      ...unmatchedReasons.map((reason) => ({ ...example, reason })),
      ...(["paid", "credited", "refunded"] as const).map((state) => ({ ...example, state })),
      { ...example, hasBalance: false },
    ].map((money) => [`${money.reason}-${money.state}${money.hasBalance ? "" : "-guest"}`, money]),
  ),
});

export interface UnmatchedMoneyForStaff extends UnmatchedMoney {
  /** Null: the order was deleted. */
  customer: { name: string; phone: string; email: string } | null;
}

const reasons: Record<UnmatchedReason, Record<Language, string>> = {
  order_canceled: { ru: "заказ отменён", en: "the order is cancelled" },
  order_deleted: { ru: "заказ удалён", en: "the order was deleted" },
  nothing_due: { ru: "к оплате оставалось меньше этой суммы", en: "less than this amount was left to be paid" },
  wrong_amount: { ru: "пришла не та сумма, которую запросили", en: "it is not the amount that was asked for" },
};

const toDo = {
  ru:
    "Зачтите деньги в оплату заказа или на баланс покупателя (POST /payments/{id}/assign) или верните их " +
    "(POST /payments/{id}/refund). Все такие платежи: GET /payments?state=unmatched.",
  en:
    "Assign it to an order or to the customer's balance (POST /payments/{id}/assign), or give it back " +
    "(POST /payments/{id}/refund). All such payments: GET /payments?state=unmatched.",
};
const done = { ru: "С ними уже разобрались.", en: "This has been dealt with already." };

function staffFacts(money: UnmatchedMoneyForStaff, language: Language, [name, phone]: [string, string]) {
  const { reason, payment } = labels[language];
  const { customer, paymentId } = money;
  return [
    { label: reason, value: reasons[money.reason][language] },
    ...factsOf(money, language),
    { label: payment, value: paymentId },
    ...(customer
      ? [
          { label: name, value: customer.name },
          { label: phone, value: customer.phone },
          { label: "E-mail", value: customer.email },
        ]
      : []),
  ];
}

/** To staff: money that needs a decision. */
export const paymentUnmatchedStaff = defineTemplate<UnmatchedMoneyForStaff>({
  write: {
    ru: (money) => ({
      subject: `Неопознанный платёж на ${formatRub(money.amountRub, "ru")}, заказ ${shortId(money.orderId)}`,
      heading: "Поступили деньги, которые заказ не может принять",
      paragraphs: [money.state === "unmatched" ? toDo.ru : done.ru],
      facts: staffFacts(money, "ru", ["Покупатель", "Телефон"]),
      ...orderButton(money, "ru"),
    }),
    en: (money) => ({
      subject: `Unmatched payment of ${formatRub(money.amountRub, "en")}, order ${shortId(money.orderId)}`,
      heading: "Money has arrived that its order cannot take",
      paragraphs: [money.state === "unmatched" ? toDo.en : done.en],
      facts: staffFacts(money, "en", ["Customer", "Phone"]),
      ...orderButton(money, "en"),
    }),
  },
  example: { ...example, customer: { name: "Анна Петрова", phone: exampleOrder.phone, email: exampleOrder.email } },
  variants: { deleted: { ...example, reason: "order_deleted", customer: null, url: undefined } },
});
