import { shortId } from "../format.ts";
import { defineTemplate } from "./define-template.ts";
import { exampleOrder, goods, type MailedLine } from "./order-data.ts";

/** To the customer of a waybill, which is attached. */
export const waybillCommitted = defineTemplate<{ id: string; lines: readonly MailedLine[] }>({
  write: {
    ru: ({ id, lines }) => ({
      subject: `Накладная ${shortId(id)}`,
      heading: "Накладная проведена",
      paragraphs: [`Накладная ${shortId(id)} проведена. Документ приложен к письму.`],
      ...goods(lines, "ru"),
    }),
    en: ({ id, lines }) => ({
      subject: `Waybill ${shortId(id)}`,
      heading: "Your waybill",
      paragraphs: [`Waybill ${shortId(id)} is final. The document is attached.`],
      ...goods(lines, "en"),
    }),
  },
  example: { id: exampleOrder.id, lines: exampleOrder.lines },
});
