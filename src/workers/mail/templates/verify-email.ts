import { shopUrl } from "../../../services/shop-url.ts";
import { defineTemplate } from "./define-template.ts";

/** Asks the recipient to verify an address. */
export const verifyEmail = defineTemplate<{ url: string }>({
  write: {
    ru: ({ url }) => ({
      subject: "Подтвердите адрес электронной почты",
      heading: "Подтвердите ваш адрес",
      paragraphs: [
        "Этот адрес указали при регистрации в магазине «ТЦ Форд».",
        "Если это были не вы, просто удалите письмо.",
      ],
      button: { label: "Подтвердить адрес", url },
    }),
    en: ({ url }) => ({
      subject: "Confirm your e-mail address",
      heading: "Confirm your address",
      paragraphs: [
        "This address was used to register with ТЦ Форд.",
        "If you did not register, please delete this mail.",
      ],
      button: { label: "Confirm the address", url },
    }),
  },
  example: { url: `${shopUrl}/verify?token=example` },
});
