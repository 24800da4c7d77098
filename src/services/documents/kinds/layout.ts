/** Writers get nothing else: no formulas, no links, no objects. */
export type Cell = string | number;

export interface Column {
  title: string;
  /** The value in a CSV file: its cells have no type, so a spreadsheet changes part numbers without a hint. */
  csvTitle?: string;
  kind: "text" | "count" | "money";
  /** Its width relative to the others, in characters. */
  width: number;
}

export interface Field {
  label: string;
  value: string;
}

/** Rows from the database are asynchronous, so that only one batch is in memory at a time. */
export type Rows = Iterable<readonly Cell[]> | AsyncIterable<readonly Cell[]>;

/** The parts of a document, from top to bottom. */
export type Block =
  | { type: "fields"; fields: readonly Field[] }
  | { type: "text"; text: string; isStrong?: boolean }
  | { type: "table"; title?: string; columns: readonly Column[]; rows: Rows; totals?: readonly Total[] }
  /** Horizontal bars for named things, vertical ones for days. */
  | { type: "chart"; title: string; unit: string; shape: "horizontal" | "vertical"; bars: readonly Bar[] }
  /** A QR code of this text, with a caption beside it. */
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

/** The content of a document, but not its look, which the writers decide. */
export interface Layout {
  title: string;
  blocks: readonly Block[];
  orientation?: "portrait" | "landscape";
  /** Rows of its tables, to report progress; absent: too few to report. */
  rowCount?: number;
  /** When the data were changed last. The only time in a file: the same data give the same bytes. */
  changedAt: Date;
}

/** A number in Russian notation: from five digits on in groups of three, without a line break between them. */
export function grouped(amount: number): string {
  const digits = String(Math.abs(amount));
  const sign = amount < 0 ? "−" : "";
  if (digits.length <= 4) return sign + digits;
  const first = digits.length % 3;
  const groups = digits.slice(first).match(/\d{3}/g) ?? [];
  return sign + [digits.slice(0, first), ...groups].filter(Boolean).join("\u00a0");
}

/** A price in the notation of printed documents. */
export const roubles = (amount: number) => `${grouped(amount)} руб.`;
