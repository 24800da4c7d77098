import { shopUrl } from "../../../services/shop-url.ts";
import { defineLetter } from "./letter-kind.ts";

/** To somebody who has registered. */
export const welcome = defineLetter<{ firstName: string }>({
  write: {
    ru: ({ firstName }) => ({
      subject: "Добро пожаловать в ТЦ Форд",
      heading: `Здравствуйте, ${firstName}!`,
      paragraphs: [
        "Вы зарегистрировались в магазине «ТЦ Форд». Теперь заказы и их история хранятся в вашем кабинете.",
        "Если регистрировались не вы, ничего делать не нужно.",
      ],
      button: { label: "Открыть каталог", url: shopUrl },
    }),
    en: ({ firstName }) => ({
      subject: "Welcome to ТЦ Форд",
      heading: `Hello ${firstName}!`,
      paragraphs: [
        "You have registered with ТЦ Форд. From now on your orders and their history are kept in your account.",
        "If it was not you who registered, there is nothing to do.",
      ],
      button: { label: "Open the catalogue", url: shopUrl },
    }),
  },
  example: { firstName: "Анна" },
});
