/** Nothing else reaches a writer: no formulas, no links, no objects. */
export type Cell = string | number;

export interface Column {
  title: string;
  /** What a CSV file says instead: its cells have no type, so a spreadsheet changes part numbers unless told otherwise. */
  csvTitle?: string;
  kind: "text" | "count" | "money";
  /** How much room it needs beside the others, in characters. */
  width: number;
}

export interface Field {
  label: string;
  value: string;
}

/** What is read from the database in batches is asynchronous, so that one batch is in memory at a time. */
export type Rows = Iterable<readonly Cell[]> | AsyncIterable<readonly Cell[]>;

/** One below the other on a document. */
export type Block =
  | { type: "fields"; fields: readonly Field[] }
  | { type: "text"; text: string; isStrong?: boolean }
  | { type: "table"; title?: string; columns: readonly Column[]; rows: Rows; totals?: readonly Total[] }
  /** Lying bars for things that have names, standing ones for days. */
  | { type: "chart"; title: string; unit: string; shape: "lying" | "standing"; bars: readonly Bar[] }
  /** A QR code of this text, with words beside it. */
  | { type: "code"; text: string; caption: string }
  | { type: "signatures"; roles: readonly string[] };

export type BlockOf<Type extends Block["type"]> = Extract<Block, { type: Type }>;

export interface Total {
  label: string;
  value: number;
  kind: "count" | "money";
}

export interface Bar {
  label: string;
  value: number;
}

/** What is on a document, but not how it looks: that is up to the writers. */
export interface Layout {
  title: string;
  blocks: readonly Block[];
  orientation?: "portrait" | "landscape";
  /** Rows of its tables, for whoever wants to know how far it is; absent: not worth asking. */
  rowCount?: number;
  /** When the data was changed last. The only time in a file: the same data gives the same bytes. */
  changedAt: Date;
}

/** A number as people here write it: from five digits on in groups of three, which no line break parts. */
export function grouped(amount: number): string {
  const digits = String(Math.abs(amount));
  const sign = amount < 0 ? "−" : "";
  if (digits.length <= 4) return sign + digits;
  const first = digits.length % 3;
  const groups = digits.slice(first).match(/\d{3}/g) ?? [];
  return sign + [digits.slice(0, first), ...groups].filter(Boolean).join("\u00a0");
}

/** A price as printed documents show it. */
export const roubles = (amount: number) => `${grouped(amount)} руб.`;
