import type { EntityManager } from "typeorm";
import { z } from "zod";
import { catalogueState } from "../../../db/dao/catalogue/catalogue-state.ts";
import { type StockTotals, stockReport } from "../../../db/dao/stock/stock-report.ts";
import { businessDay, formatDay } from "../../business-day.ts";
import { defineKind, reportFormats } from "./define-kind.ts";
import type { Cell, Column, Layout } from "./layout.ts";

/** The stock and its value. */
export const stockReportKind = defineKind({
  kind: "stock-report",
  summary: "The stock, and its value at retail prices",
  formats: reportFormats,
  asked: z.object({}),
  complete: (_asked, now) => ({ day: businessDay(now) }),
  missing: "Stock report not found",
  names: ({ day }) => ({ shown: `Остатки ${formatDay(day)}`, ascii: `stock_${formatDay(day, "_")}` }),
  async source(tx, { day }) {
    const { changedAt, fingerprint } = await catalogueState(tx);
    return { state: fingerprint, content: () => stockLayout(tx, day, changedAt) };
  },
});

const columns: readonly Column[] = [
  { title: "#", kind: "count", width: 7 },
  { title: "Категория", kind: "text", width: 24 },
  { title: "Название", kind: "text", width: 40 },
  { title: "Бренд", kind: "text", width: 14 },
  { title: "Номер", kind: "text", width: 18 },
  { title: "Место", kind: "text", width: 12 },
  { title: "Остаток", kind: "count", width: 10 },
  { title: "Цена", kind: "money", width: 14 },
  { title: "Сумма", kind: "money", width: 17 },
];
/** More bars than this are harder to read than the table. */
const maxBars = 12;

async function stockLayout(tx: EntityManager, day: string, changedAt: Date): Promise<Layout> {
  const byCategory = await stockReport.byCategory(tx);
  const sum = (of: keyof Omit<StockTotals, "category">) => byCategory.reduce((all, one) => all + one[of], 0);
  return {
    title: `Остатки на складе ${formatDay(day)}`,
    orientation: "landscape",
    blocks: [
      {
        type: "fields",
        fields: [
          { label: "Позиций", value: String(sum("offers")) },
          { label: "Штук", value: String(sum("pieces")) },
          { label: "Категорий", value: String(byCategory.length) },
        ],
      },
      {
        type: "chart",
        title: "Стоимость остатков по категориям",
        unit: "руб.",
        shape: "horizontal",
        bars: byCategory.slice(0, maxBars).map(({ category, value }) => ({ label: category, value })),
      },
      {
        type: "table",
        columns,
        rows: rows(tx),
        totals: [
          { label: "Всего штук", value: sum("pieces"), kind: "count" },
          { label: "Итого", value: sum("value"), kind: "money" },
        ],
      },
    ],
    rowCount: sum("offers"),
    changedAt,
  };
}

async function* rows(tx: EntityManager): AsyncGenerator<Cell[]> {
  let number = 0;
  for await (const { category, name, brand, manufacturerNumber, sku, quantity, priceRub } of stockReport.rows(tx))
    yield [++number, category, name, brand, manufacturerNumber, sku ?? "", quantity, priceRub, quantity * priceRub];
}
