import type { Language } from "../../../db/entities/accounts/user.ts";
import { formatPieces } from "../format.ts";
import { defineTemplate } from "./define-template.ts";

export interface ScarceOffer {
  name: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
}

const rows = (offers: readonly ScarceOffer[], language: Language) =>
  offers.map(({ name, brand, manufacturerNumber, quantity }) => ({
    name,
    detail: `${brand} ${manufacturerNumber}`,
    amount: formatPieces(quantity, language),
  }));

/** To staff: offers that are nearly sold out. */
export const lowStock = defineTemplate<{ offers: readonly ScarceOffer[] }>({
  write: {
    ru: ({ offers }) => ({
      subject: `Заканчивается на складе: ${offers.length}`,
      heading: "Заканчивается на складе",
      paragraphs: ["Эти позиции скоро закончатся."],
      lines: rows(offers, "ru"),
    }),
    en: ({ offers }) => ({
      subject: `Low stock: ${offers.length}`,
      heading: "Low stock",
      paragraphs: ["These offers are nearly sold out."],
      lines: rows(offers, "en"),
    }),
  },
  example: {
    offers: [
      { name: "Фильтр масляный", brand: "MANN", manufacturerNumber: "W 7008", quantity: 2 },
      {
        name: "Ремень ГРМ, комплект с роликами и помпой",
        brand: "GATES",
        manufacturerNumber: "KP15598XS",
        quantity: 0,
      },
    ],
  },
});
