import type { Language } from "../../../db/entities/accounts/user.ts";
import { shownPhone } from "../../../services/shown-phone.ts";
import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder, goods, type MailedOrder, orderFacts } from "./order-data.ts";
import { orderButton } from "./shipping.ts";

/** To staff: a new order. */
export const orderReceivedStaff = defineTemplate<MailedOrder>({
  write: {
    ru: (order) => ({
      subject: `Новый заказ ${shortId(order.id)}`,
      heading: "Новый заказ",
      paragraphs: order.note ? [`Примечание: ${order.note}`] : [],
      facts: [...orderFacts(order, "ru", "staff"), ...contact(order, "ru", ["Покупатель", "Телефон", "E-mail"])],
      ...goods(order.lines, "ru"),
      ...orderButton(order, "ru"),
    }),
    en: (order) => ({
      subject: `New order ${shortId(order.id)}`,
      heading: "New order",
      paragraphs: order.note ? [`Note: ${order.note}`] : [],
      facts: [...orderFacts(order, "en", "staff"), ...contact(order, "en", ["Customer", "Phone", "E-mail"])],
      ...goods(order.lines, "en"),
      ...orderButton(order, "en"),
    }),
  },
  example: exampleOrder,
});

function contact(
  { firstName, lastName, phone, email }: MailedOrder,
  language: Language,
  [name, tel, mail]: [string, string, string],
) {
  return [
    { label: name, value: `${firstName} ${lastName}` },
    { label: tel, value: shownPhone(phone, language) },
    { label: mail, value: email },
  ];
}
