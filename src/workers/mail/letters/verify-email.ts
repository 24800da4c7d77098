import { shopUrl } from "../../../services/shop-url.ts";
import { defineLetter } from "./letter-kind.ts";

/** Asks somebody to prove that an address is theirs. */
export const verifyEmail = defineLetter<{ firstName: string; url: string }>({
  write: {
    ru: ({ firstName, url }) => ({
      subject: "Подтвердите адрес электронной почты",
      heading: "Подтвердите ваш адрес",
      paragraphs: [
        `${firstName}, этот адрес указали при регистрации в магазине «ТЦ Форд».`,
        "Если это были не вы, просто удалите письмо.",
      ],
      button: { label: "Подтвердить адрес", url },
    }),
    en: ({ firstName, url }) => ({
      subject: "Confirm your e-mail address",
      heading: "Confirm your address",
      paragraphs: [
        `${firstName}, this address was given when somebody registered with ТЦ Форд.`,
        "If that was not you, just delete this mail.",
      ],
      button: { label: "Confirm the address", url },
    }),
  },
  example: { firstName: "Анна", url: `${shopUrl}/verify?token=example` },
});
