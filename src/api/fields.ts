import { z } from "zod";

/** Postgres refuses U+0000, and no name, slug or id has control characters; line breaks belong in notes. */
const printable = /^[^\p{Cc}\p{Cs}]*$/u;

/** One line of text that people read, trimmed. */
export const line = (max = 300) =>
  z.string().trim().min(1).max(max).regex(printable, "the text has control characters in it");

/** A required field of a form, where an empty value counts as missing (wire contract 1.8). */
export const required = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

/** A whole number in a query: `5`, `+5` and `5.0` are the same. */
export const integer = (schema: z.ZodType<number>) =>
  z.preprocess((value) => {
    const isWhole = typeof value === "string" && /^\s*[+-]?\d{1,15}(\.0*)?\s*$/.test(value);
    return isWhole ? Number(value) : value;
  }, schema);

/** A UUID in any of its usual spellings (wire contract 1.3); comes out in lower case with dashes. */
export const uuid = z.preprocess((value) => {
  const hex =
    typeof value === "string"
      ? value
          .replace(/^\{(.*)\}$/, "$1")
          .replaceAll("-", "")
          .toLowerCase()
      : "";
  if (!/^[0-9a-f]{32}$/.test(hex)) return value;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}, z.guid());

/** A moment as clients want it: ISO 8601 in UTC, ending in `Z`. */
export const timestamp = z.iso.datetime().meta({ description: "ISO 8601, UTC" });
