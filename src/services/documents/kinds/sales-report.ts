import { z } from "zod";
import { type SalesTotals, type SoldRow, type Sum, salesReport } from "../../../db/dao/orders/sales-report.ts";
import { businessTimeZone } from "../../../jobs/schedules.ts";
import { formatDay } from "../../business-day.ts";
import { defineKind, reportFormats } from "./define-kind.ts";
import { type Bar, type Cell, type Column, grouped, type Layout, roubles } from "./layout.ts";

const dayMs = 24 * 3_600_000;
const maxDaysCovered = 366;

const lengthOf = (from: string, to: string) => Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1;

/** The sales of some days: committed outgoing waybills. */
export const salesReportKind = defineKind({
  kind: "sales-report",
  summary: "Sales of a period, by day, category and offer",
  formats: reportFormats,
  asked: z
    .object({ from: z.iso.date(), to: z.iso.date().meta({ description: "The last day; a year after `from` at most" }) })
    .refine(({ from, to }) => lengthOf(from, to) >= 1 && lengthOf(from, to) <= maxDaysCovered, {
      path: ["to"],
      message: `has to be from the day 'from' on and at most ${maxDaysCovered} days in all`,
    }),
  missing: "Sales report not found",
  names: ({ from, to }) => ({
    shown: `Продажи ${formatDay(from)}—${formatDay(to)}`,
    ascii: `sales_${formatDay(from, "_")}-${formatDay(to, "_")}`,
  }),
  async source(tx, { from, to }) {
    const period = { from, to, timeZone: businessTimeZone };
    const sales = {
      totals: await salesReport.totals(tx, period),
      rows: await salesReport.rows(tx, period),
      byCategory: await salesReport.byCategory(tx, period),
      byDay: await salesReport.byDay(tx, period),
    };
    return { state: sales, content: () => salesLayout(from, to, sales) };
  },
});

const columns: readonly Column[] = [
  { title: "#", kind: "count", width: 7 },
  { title: "Категория", kind: "text", width: 25 },
  { title: "Название", kind: "text", width: 36 },
  { title: "Бренд", kind: "text", width: 14 },
  { title: "Номер", kind: "text", width: 18 },
  { title: "Продано", kind: "count", width: 11 },
  { title: "Выручка", kind: "money", width: 18 },
];
/** More bars than this are harder to read than the table. */
const maxBars = 12;
/** More days than this are grouped by month. */
const maxDays = 62;

interface Sales {
  totals: SalesTotals;
  rows: readonly SoldRow[];
  byCategory: readonly Sum[];
  byDay: readonly Sum[];
}

function salesLayout(from: string, to: string, { totals, rows, byCategory, byDay }: Sales): Layout {
  const isLong = lengthOf(from, to) > maxDays;
  return {
    title: `Продажи с ${formatDay(from)} по ${formatDay(to)}`,
    blocks: [
      {
        type: "fields",
        fields: [
          { label: "Накладных", value: grouped(totals.waybills) },
          { label: "Продано штук", value: grouped(totals.pieces) },
          { label: "Выручка", value: roubles(totals.revenue) },
          { label: "Возвраты", value: roubles(totals.returned) },
          { label: "За вычетом", value: roubles(totals.revenue - totals.returned) },
        ],
      },
      {
        type: "chart",
        title: isLong ? "Выручка по месяцам" : "Выручка по дням",
        unit: "руб.",
        shape: "vertical",
        bars: isLong ? byMonth(byDay) : everyDay(from, to, byDay),
      },
      {
        type: "chart",
        title: "Выручка по категориям",
        unit: "руб.",
        shape: "horizontal",
        bars: byCategory.slice(0, maxBars),
      },
      {
        type: "table",
        columns,
        rows: rows.map(({ category, name, brand, manufacturerNumber, pieces, revenue }, n): Cell[] => {
          return [n + 1, category, name, brand, manufacturerNumber, pieces, revenue];
        }),
        totals: [
          { label: "Всего штук", value: totals.pieces, kind: "count" },
          { label: "Итого", value: totals.revenue, kind: "money" },
        ],
      },
    ],
    rowCount: rows.length,
    changedAt: totals.changedAt,
  };
}

/** Includes days without a sale. */
function everyDay(from: string, to: string, byDay: readonly Sum[]): Bar[] {
  const sums = new Map(byDay.map(({ label, value }) => [label, value]));
  return Array.from({ length: lengthOf(from, to) }, (_, n) => {
    const day = new Date(Date.parse(from) + n * dayMs).toISOString().slice(0, 10);
    return { label: formatDay(day).slice(0, "22.11".length), value: sums.get(day) ?? 0 };
  });
}

function byMonth(byDay: readonly Sum[]): Bar[] {
  const sums = new Map<string, number>();
  for (const { label, value } of byDay) {
    const month = label.slice(0, "2026-11".length);
    sums.set(month, (sums.get(month) ?? 0) + value);
  }
  return Array.from(sums, ([month, value]) => ({ label: formatDay(month), value }));
}
