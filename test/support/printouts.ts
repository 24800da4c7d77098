import type { Cell, Column, Listing, Printout } from "../../src/workers/documents/layouts/printout.ts";

const columns: readonly Column[] = [
  { title: "#", kind: "count", width: 6 },
  { title: "Категория", kind: "text", width: 16 },
  { title: "Название", kind: "text", width: 33 },
  { title: "Цена", kind: "money", width: 14 },
  { title: "Сум.", kind: "money", width: 16 },
];

/** A sheet with these names on it, one line each. */
export function printoutOf(names: readonly string[], title = "Накладная № 1"): Printout {
  return {
    title,
    fields: [
      { label: "ФИО", value: "Ковалёва Анна" },
      { label: "Город", value: "" },
    ],
    columns,
    rows: names.map((name, n): Cell[] => [n + 1, "Двигатель", name, 717, 717 * (n + 1)]),
    total: { label: "Итого", value: (717 * names.length * (names.length + 1)) / 2 },
    changedAt: new Date("2026-11-22T19:30:00Z"),
  };
}

/** A list of these rows; `pulled` counts how many a writer has asked for. */
export function listingOf(rows: Iterable<readonly Cell[]>, titles = ["Название", "Цена"]) {
  const state = { pulled: 0 };
  async function* counted() {
    for (const row of rows) {
      state.pulled++;
      yield row;
    }
  }
  const shape = titles.map((title, n): Column => ({ title, kind: n === 0 ? "text" : "money", width: 20 }));
  const listing: Listing = { title: "Прайс-лист", columns: shape, rows: counted() };
  return { listing, state };
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
  "＝1+1",
];
