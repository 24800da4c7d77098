import type { EntityManager } from "typeorm";
import { z } from "zod";
import { catalogueState } from "../../../db/dao/catalogue/catalogue-state.ts";
import { type PriceRow, priceRows } from "../../../db/dao/catalogue/price-rows.ts";
import { businessDay, formatDay } from "../../business-day.ts";
import { wholesalePriceRub } from "../../orders/prices.ts";
import { defineKind } from "./define-kind.ts";
import type { Cell, Column, Layout } from "./layout.ts";

export const priceListFormats = ["xlsx", "csv", "pdf"] as const;
export const priceListTypes = ["retail", "wholesale"] as const;
export type PriceListType = (typeof priceListTypes)[number];

/** The second name of the wholesale list is part of an address in the warehouse front end and in old mails. */
const listNames: Record<PriceListType, [shown: string, ascii: string]> = {
  retail: ["Прайс-лист розничный", "price_list_retail"],
  wholesale: ["Прайс-лист", "price_list"],
};

/** Every offer that is not deleted. */
export const priceListKind = defineKind({
  kind: "price-list",
  summary: "All offers with their prices",
  formats: priceListFormats,
  asked: z.object({ type: z.enum(priceListTypes) }),
  /** `day` is the shop's day in the name of the list. */
  complete: ({ type }, now) => ({ type, day: businessDay(now) }),
  missing: "Price list not found",
  names({ type, day }) {
    const [shown, ascii] = listNames[type];
    return { shown: `${shown} ${formatDay(day)}`, ascii: `${ascii}_${formatDay(day, "_")}` };
  },
  /** The wholesale list is mailed to customers, and the warehouse links to it. */
  publicKey({ type, day }, format) {
    return type === "wholesale" && format === "xlsx" ? `tmp/price_list_${formatDay(day, "_")}.xlsx` : null;
  },
  async source(tx, { type, day }) {
    const { changedAt, fingerprint } = await catalogueState(tx);
    return { state: fingerprint, content: () => priceListLayout(tx, type, day, changedAt) };
  },
});

interface ListColumn extends Column {
  cell: (row: PriceRow) => Cell;
  /** Retail customers must not see it. */
  isWholesale?: true;
}

const columns: readonly ListColumn[] = [
  { title: "bitrix_id", kind: "text", width: 16, cell: ({ bitrixId }) => bitrixId ?? "" },
  { title: "Система", kind: "text", width: 30, cell: ({ category }) => category },
  { title: "Подсистема", kind: "text", width: 30, cell: ({ subCategory }) => subCategory },
  { title: "Название", kind: "text", width: 50, cell: ({ name }) => name },
  { title: "Бренд", kind: "text", width: 16, cell: ({ brand }) => brand },
  {
    title: "Номер производителя",
    csvTitle: "Номер производителя (открывать как текст)",
    kind: "text",
    width: 25,
    cell: ({ manufacturerNumber }) => manufacturerNumber,
  },
  { title: "Кроссы", kind: "text", width: 52, cell: ({ crossNumber }) => crossNumber ?? "" },
  { title: "Цена", kind: "money", width: 18, cell: ({ priceRub }) => priceRub },
  { title: "Цена опт", kind: "money", width: 18, cell: wholesalePriceRub, isWholesale: true },
  {
    title: "Цена супер-опт",
    kind: "money",
    width: 18,
    cell: ({ superWholesalePriceRub }) => superWholesalePriceRub,
    isWholesale: true,
  },
  { title: "Остаток", kind: "count", width: 15, cell: ({ quantity }) => quantity },
];

/** The retail list has no wholesale columns. */
async function priceListLayout(tx: EntityManager, type: PriceListType, day: string, changedAt: Date): Promise<Layout> {
  const shown = columns.filter(({ isWholesale }) => type === "wholesale" || !isWholesale);
  return {
    title: `${listNames[type][0]} от ${formatDay(day)}`,
    orientation: "landscape",
    blocks: [{ type: "table", columns: shown, rows: cells(shown, priceRows.all(tx)) }],
    rowCount: await priceRows.count(tx),
    changedAt,
  };
}

async function* cells(shown: readonly ListColumn[], rows: AsyncIterable<PriceRow>) {
  for await (const row of rows) yield shown.map(({ cell }) => cell(row));
}
