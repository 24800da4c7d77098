import { shortId } from "../written.ts";
import { defineLetter } from "./letter-kind.ts";
import { exampleOrder, goods, type MailedLine } from "./order-data.ts";

/** To the customer of a waybill, which is attached. */
export const waybillCommitted = defineLetter<{ id: string; firstName: string; lines: readonly MailedLine[] }>({
  write: {
    ru: ({ id, firstName, lines }) => ({
      subject: `Накладная ${shortId(id)}`,
      heading: "Накладная проведена",
      paragraphs: [`${firstName}, накладная ${shortId(id)} проведена. Документ приложен к письму.`],
      ...goods(lines, "ru"),
    }),
    en: ({ id, firstName, lines }) => ({
      subject: `Waybill ${shortId(id)}`,
      heading: "Your waybill",
      paragraphs: [`${firstName}, waybill ${shortId(id)} is final. The document is attached.`],
      ...goods(lines, "en"),
    }),
  },
  example: { id: exampleOrder.id, firstName: "Анна", lines: exampleOrder.lines },
});
