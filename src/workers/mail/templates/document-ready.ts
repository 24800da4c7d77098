import { shopUrl } from "../../../services/shop-url.ts";
import { defineTemplate } from "./define-template.ts";

/** To the requester of a document. */
export const documentReady = defineTemplate<{ fileName: string; url: string }>({
  write: {
    ru: ({ fileName, url }) => ({
      subject: "Документ готов",
      heading: "Документ готов",
      paragraphs: [`Файл «${fileName}», который вы запросили, можно скачать.`],
      button: { label: "Скачать", url },
    }),
    en: ({ fileName, url }) => ({
      subject: "Your document is ready",
      heading: "Your document is ready",
      paragraphs: [`You can download '${fileName}' now.`],
      button: { label: "Download", url },
    }),
  },
  example: { fileName: "price_list_22_11_2026.xlsx", url: `${shopUrl}/documents/example` },
});
