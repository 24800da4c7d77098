/** Nothing else reaches a writer: no formulas, no links, no objects. */
export type Cell = string | number;

export interface Column {
  title: string;
  kind: "text" | "count" | "money";
  /** How much room it needs beside the others, in characters. */
  width: number;
}

/** What is on a printed sheet, but not how it looks: that is up to the writers. */
export interface Printout {
  title: string;
  fields: readonly { label: string; value: string }[];
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  total: { label: string; value: number };
  /** When the data was changed last. The only time in a file: the same data gives the same bytes. */
  changedAt: Date;
}

/** A long table, row by row. */
export interface Listing {
  title: string;
  columns: readonly Column[];
  rows: AsyncIterable<readonly Cell[]>;
}

/** A price as the printed sheets show it. */
export const roubles = (amount: Cell) => `${amount} руб.`;
