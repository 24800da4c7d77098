import type { Language } from "../../../db/entities/accounts/user.ts";
import type { OrderStatus } from "../../../db/entities/orders/order.ts";
import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { type DueBack, dueBackSentences, exampleDueBack } from "./due-back.ts";
import { exampleOrder, goods, type MailedOrder, orderFacts, orderName } from "./order-data.ts";
import { orderButton } from "./shipping.ts";

const sentences: Record<OrderStatus, { ru: string; en: string }> = {
  NEW: { ru: "принят", en: "has been received" },
  IN_PROGRESS: { ru: "в работе", en: "is being prepared" },
  SHIPPING: { ru: "отправлен", en: "is on its way" },
  COMPLETED: { ru: "выполнен", en: "is completed" },
  CANCELED: { ru: "отменён", en: "is cancelled" },
};

/** To the customer: the new status of the order, and what is due back of a canceled one. */
export const orderStatus = defineTemplate<MailedOrder & { status: OrderStatus; dueBack: DueBack | undefined }>({
  write: {
    ru: (order) => ({
      subject: `Заказ ${shortId(order.id)} ${sentences[order.status].ru}`,
      heading: `Ваш заказ ${sentences[order.status].ru}`,
      paragraphs: [
        "Состояние вашего заказа изменилось.",
        ...(order.dueBack ? dueBackSentences(order.dueBack, "ru") : []),
      ],
      facts: factsOf(order, "ru"),
      ...goods(order.lines, "ru"),
      ...orderButton(order, "ru"),
    }),
    en: (order) => ({
      subject: `Order ${shortId(order.id)} ${sentences[order.status].en}`,
      heading: `Your order ${sentences[order.status].en}`,
      paragraphs: [
        "The status of your order has changed.",
        ...(order.dueBack ? dueBackSentences(order.dueBack, "en") : []),
      ],
      facts: factsOf(order, "en"),
      ...goods(order.lines, "en"),
      ...orderButton(order, "en"),
    }),
  },
  example: { ...exampleOrder, status: "SHIPPING", dueBack: undefined },
  variants: {
    canceled: { ...exampleOrder, status: "CANCELED", dueBack: exampleDueBack },
    "canceled-guest": { ...exampleOrder, status: "CANCELED", dueBack: { ...exampleDueBack, hasBalance: false } },
  },
});

/** Goods of a canceled order do not travel. */
const factsOf = (order: MailedOrder & { status: OrderStatus }, language: Language) =>
  order.status === "CANCELED" ? orderName(order, language) : orderFacts(order, language);
