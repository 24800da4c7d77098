import { shopUrl } from "../../../services/shop-url.ts";
import { defineTemplate } from "./define-template.ts";

/** To a newly registered user. */
export const welcome = defineTemplate<Record<never, never>>({
  write: {
    ru: () => ({
      subject: "Добро пожаловать в ТЦ Форд",
      heading: "Здравствуйте!",
      paragraphs: [
        "Вы зарегистрировались в магазине «ТЦ Форд». Теперь заказы и их история хранятся в вашем кабинете.",
        "Если регистрировались не вы, ничего делать не нужно.",
      ],
      button: { label: "Открыть каталог", url: shopUrl },
    }),
    en: () => ({
      subject: "Welcome to ТЦ Форд",
      heading: "Hello!",
      paragraphs: [
        "You have registered with ТЦ Форд. From now on your account keeps your orders and their history.",
        "If you did not register, you need not do anything.",
      ],
      button: { label: "Open the catalogue", url: shopUrl },
    }),
  },
  example: {},
});
