import { writtenDay } from "./business-day.ts";

export const sheetFormats = ["docx", "xlsx", "pdf"] as const;
export const priceListFormats = ["xlsx", "csv"] as const;
export const priceListTypes = ["retail", "wholesale"] as const;
export type PriceListType = (typeof priceListTypes)[number];

/** What can be asked for, and in which formats. */
export type DocumentKind =
  | { kind: "order" | "waybill"; format: (typeof sheetFormats)[number]; parameters: { id: string } }
  | {
      kind: "price-list";
      format: (typeof priceListFormats)[number];
      /** `day` is the shop's day that the list is named after. */
      parameters: { type: PriceListType; day: string };
    };

/** What a file of each format is sent as. */
export const contentTypes: Record<DocumentKind["format"], string> = {
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pdf: "application/pdf",
  csv: "text/csv; charset=utf-8",
};

/** Content types without their parameters, as an API description names them. */
export const mediaTypesOf = (formats: readonly DocumentKind["format"][]) =>
  formats.map((format) => contentTypes[format].split(";", 1).join());

/** The price list that anybody may read. */
export const publicPriceList = (day: string) =>
  ({ kind: "price-list", format: "xlsx", parameters: { type: "wholesale", day } }) satisfies DocumentKind;

/** Where anybody may read a document; null for all but the wholesale list, which is mailed to customers. */
export function publicKeyOf(document: DocumentKind): string | null {
  const { kind, format, parameters } = document;
  const isPublic = kind === "price-list" && format === "xlsx" && parameters.type === "wholesale";
  return isPublic ? `tmp/${namesOf(document).ascii}` : null;
}

/** Names of a document's file: `shown` to people who save it, `ascii` for programs that know no other letters. */
export function namesOf({ kind, format, parameters }: DocumentKind): { shown: string; ascii: string } {
  switch (kind) {
    case "order":
      return { shown: `Заказ ${parameters.id}.${format}`, ascii: `order_${parameters.id}.${format}` };
    case "waybill":
      return { shown: `Накладная ${parameters.id}.${format}`, ascii: `waybill_${parameters.id}.${format}` };
    case "price-list": {
      const { type, day } = parameters;
      const [shown, ascii] = listNames[type];
      return { shown: `${shown} ${writtenDay(day)}.${format}`, ascii: `${ascii}_${writtenDay(day, "_")}.${format}` };
    }
  }
}

/** The second name of the wholesale list is part of an address that the warehouse and old mails know. */
const listNames: Record<PriceListType, [shown: string, ascii: string]> = {
  retail: ["Прайс-лист розничный", "price_list_retail"],
  wholesale: ["Прайс-лист", "price_list"],
};
