import { z } from "zod";
import type { JsonWriter } from "./json-writer.ts";

/** A row as Postgres sends it, all values as texts. */
export type TextRow = readonly (string | null | undefined)[];

/**
 * A field of a view: its schema, and how it is written as JSON from a row whose columns begin at `at`. `Means` is what
 * the view needs besides the row.
 */
export interface RowField<Means, Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** Gives its JSON; what `isAlone` may give bytes, or write itself and give nothing. */
  write: (row: TextRow, at: number, means: Means, writer: JsonWriter) => string | Buffer | undefined;
  /**
   * Written apart from what is before and after it: bytes, a nested view, or a text whose letters are likely beyond
   * Latin-1, since one of those doubles the memory of all that is written together.
   */
  isAlone?: boolean;
}

/** Fields by name, in the order in which they are written. */
type RowFields<Means> = Readonly<Record<string, RowField<Means>>>;

type ShapeOf<Fields extends RowFields<never>> = { [Name in keyof Fields]: Fields[Name]["schema"] };

/**
 * Makes schema and writer of one declaration. Lists have hundreds of rows, and writing texts one after the other is
 * several times faster than making objects for JSON.stringify.
 */
export function declareFields<Means, Fields extends RowFields<Means>>(fields: Fields & RowFields<Means>) {
  const shape = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]));
  const parts = Object.entries(fields).map(([name, { write, isAlone = false }], index) => ({
    key: `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`,
    write,
    isAlone,
  }));
  return {
    schema: z.object(shape as ShapeOf<Fields>),
    /** Writes one row whose columns begin at `at`. */
    write(writer: JsonWriter, row: TextRow, at: number, means: Means) {
      let text = "";
      for (const part of parts) {
        text += part.key;
        if (part.isAlone) {
          writer.text(text);
          text = "";
          writeAlone(writer, part.write(row, at, means, writer));
        } else text += part.write(row, at, means, writer);
      }
      writer.text(`${text}}`);
    },
  };
}

function writeAlone(writer: JsonWriter, value: string | Buffer | undefined) {
  if (typeof value === "string") writer.text(value);
  else if (value !== undefined) writer.bytes(value);
}

/** A column of ids or other values that need no escape in JSON. */
export const plainColumn = <S extends z.ZodType>(schema: S, index: number) => ({
  schema,
  write: (row: TextRow, at: number) => `"${row[at + index]}"`,
});

/** A column of texts, or null. */
export const textColumn = <S extends z.ZodType>(schema: S, index: number, isAlone = false) => ({
  schema,
  write: (row: TextRow, at: number) => JSON.stringify(row[at + index]),
  isAlone,
});

/** A column of numbers, or null. */
export const numberColumn = <S extends z.ZodType>(schema: S, index: number) => ({
  schema,
  write: (row: TextRow, at: number) => `${row[at + index]}`,
});

/** A column of booleans. */
export const flagColumn = <S extends z.ZodType>(schema: S, index: number) => ({
  schema,
  write: (row: TextRow, at: number) => (row[at + index] === "t" ? "true" : "false"),
});

/** A column of times in UTC, as Postgres writes them without a zone. */
export const timeColumn = <S extends z.ZodType>(schema: S, index: number) => ({
  schema,
  write: (row: TextRow, at: number) => `"${isoTime(row[at + index] ?? "")}"`,
});

/** `2026-01-15 09:30:00.12` as `2026-01-15T09:30:00.120Z`. */
function isoTime(time: string) {
  // Most have three digits or six after the point; zeros at the end are left out.
  if (time.length >= 23) return `${time.slice(0, 10)}T${time.slice(11, 23)}Z`;
  return `${time.slice(0, 10)}T${time.slice(11, 19)}.${time.slice(20).padEnd(3, "0")}Z`;
}
