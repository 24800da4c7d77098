import { shopUrl } from "../../../services/shop-url.ts";
import { formatDay } from "../format.ts";
import { defineTemplate } from "./define-template.ts";

/** The link to the day's price list, for subscribers. `day` is the shop's, as `2026-11-22`. */
export const priceList = defineTemplate<{ day: string; listUrl: string }>({
  write: {
    ru: ({ day, listUrl }) => ({
      subject: "ТЦ Форд - рассылка",
      heading: "Здравствуйте!",
      paragraphs: [`Наш прайс-лист на ${formatDay(day, "ru")} готов: наличие и цены на запчасти для Ford.`],
      button: { label: "Скачать прайс-лист", url: listUrl },
    }),
    en: ({ day, listUrl }) => ({
      subject: "ТЦ Форд - price list",
      heading: "Hello!",
      paragraphs: [
        `Our price list of ${formatDay(day, "en")} is ready: all parts for Ford cars in stock, with prices.`,
      ],
      button: { label: "Download the price list", url: listUrl },
    }),
  },
  example: { day: "2026-11-22", listUrl: `${shopUrl}/tmp/price_list_22_11_2026.xlsx` },
});
