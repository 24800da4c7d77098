import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder, goods, type MailedOrder, orderFacts } from "./order-data.ts";
import { orderButton } from "./shipping.ts";

/** To the customer: the order has arrived. */
export const orderReceived = defineTemplate<MailedOrder>({
  write: {
    ru: (order) => ({
      subject: `Заказ ${shortId(order.id)} принят`,
      heading: "Спасибо за заказ!",
      paragraphs: ["Мы получили ваш заказ и свяжемся с вами, когда проверим наличие."],
      facts: orderFacts(order, "ru"),
      ...goods(order.lines, "ru"),
      ...orderButton(order, "ru"),
    }),
    en: (order) => ({
      subject: `We have received order ${shortId(order.id)}`,
      heading: "Thank you for your order!",
      paragraphs: ["We have your order and will write to you when we have checked the stock."],
      facts: orderFacts(order, "en"),
      ...goods(order.lines, "en"),
      ...orderButton(order, "en"),
    }),
  },
  example: exampleOrder,
});
