import type { Payee } from "../../src/services/documents/kinds/define-kind.ts";
import type { Cell, Column, Layout } from "../../src/services/documents/kinds/layout.ts";

/** An account that invoices of tests are paid to. */
export const payee: Payee = {
  name: "ИП Иванов И. И.",
  inn: "920350043006",
  account: "40802810700000012345",
  bank: "АО «Банк Пример» г. Севастополь",
  bic: "043510123",
  correspondentAccount: "30101810335100000123",
};

const columns: readonly Column[] = [
  { title: "#", kind: "count", width: 6 },
  { title: "Категория", kind: "text", width: 16 },
  { title: "Название", kind: "text", width: 33 },
  { title: "Цена", kind: "money", width: 14 },
  { title: "Сум.", kind: "money", width: 16 },
];

/** A sheet with these names on it, one line each. */
export function layoutOf(names: readonly string[], title = "Накладная № 1"): Layout {
  const value = (717 * names.length * (names.length + 1)) / 2;
  return {
    title,
    blocks: [
      {
        type: "fields",
        fields: [
          { label: "ФИО", value: "Ковалёва Анна" },
          { label: "Город", value: "" },
        ],
      },
      {
        type: "table",
        columns,
        rows: names.map((name, n): Cell[] => [n + 1, "Двигатель", name, 717, 717 * (n + 1)]),
        totals: [{ label: "Итого", value, kind: "money" }],
      },
    ],
    changedAt: new Date("2026-11-22T19:30:00Z"),
  };
}

/** A list of these rows; `pulled` counts how many a writer has asked for. */
export function listOf(rows: Iterable<readonly Cell[]>, titles = ["Название", "Цена"]) {
  const state = { pulled: 0 };
  async function* counted() {
    for (const row of rows) {
      state.pulled++;
      yield row;
    }
  }
  const shape = titles.map((title, n): Column => ({ title, kind: n === 0 ? "text" : "money", width: 20 }));
  const layout: Layout = {
    title: "Прайс-лист",
    blocks: [{ type: "table", columns: shape, rows: counted() }],
    changedAt: new Date("2026-11-22T19:30:00Z"),
  };
  return { layout, state };
}

/** What people put into cells so that a spreadsheet does something. */
export const dangerous = [
  '=HYPERLINK("http://evil.example","click")',
  "+1+1",
  "-2+3+cmd|' /C calc'!A0",
  "@SUM(1+1)",
  "\t=1+1",
  "\r=1+1",
  "\n=1+1",
  " =1+1",
  "＝1+1",
];
