import { parsePhoneNumberFromString } from "libphonenumber-js";
import { z } from "zod";

/** Postgres refuses U+0000, and no name, slug or id has control characters; line breaks belong in notes. */
const printable = /^[^\p{Cc}\p{Cs}]*$/u;

/** One line of text that people read, trimmed. */
export const line = (max = 300) =>
  z.string().trim().min(1).max(max).regex(printable, "the text has control characters in it");

/** A required field of a form, where an empty value counts as missing (wire contract 1.8). */
export const required = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

/** A whole number, also as text: `5`, `+5` and `5.0` are the same. */
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

/** True or false in any of its usual spellings (wire contract 1.7). */
export const boolean = z.preprocess((value) => {
  const text = String(value).toLowerCase();
  if (["true", "1", "yes", "on", "t", "y"].includes(text)) return true;
  return ["false", "0", "no", "off", "f", "n"].includes(text) ? false : value;
}, z.boolean());

/** Text of several lines, such as a note, trimmed; empty is null. */
export const note = z
  .string()
  .trim()
  .max(5_000)
  .regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u, "the text has control characters in it")
  .transform((text) => text || null)
  .nullable();

/** One line that may be missing: empty is null. */
export const optionalLine = (max = 300) =>
  z.preprocess((value) => (typeof value === "string" && value.trim() === "" ? null : value), line(max).nullable());

/** Whole roubles. */
export const roubles = integer(z.int().min(0).max(1_000_000_000));

/** How many pieces a line has. */
export const pieces = integer(z.int().gt(0).max(1_000_000));

/** What a person looks for; `%` and `_` mean themselves. */
export const searchTerm = z
  .string()
  .max(500)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "the text has control characters in it");

/** One address of plain letters, as strict as both clients are on reading it (wire contract 1.16). */
export const email = z
  .string()
  .trim()
  .refine((text) => text.length <= 254 && z.regexes.email.test(text), {
    message: "value is not a valid email address: it has to be one such as name@example.com",
    params: { reason: "It has to be one such as name@example.com" },
  });

/** A telephone number as people write it, Russian unless it says otherwise; comes out as E.164 (wire contract 3.12). */
export const phone = z
  .string()
  .max(100)
  .transform((text, context) => {
    const options = { defaultCountry: "RU", extract: false } as const;
    const number = parsePhoneNumberFromString(text.trim().replace(/^tel:/i, ""), options);
    if (number?.isValid()) return number.number as string;
    context.addIssue({ code: "custom", message: "value is not a valid phone number" });
    return z.NEVER;
  });

/** Whole roubles, made of an amount that may have kopecks: half a rouble counts as one. */
export const roundedRoubles = z.preprocess(
  (value) => (typeof value === "string" && /^\s*[+-]?\d{1,15}(\.\d*)?\s*$/.test(value) ? Number(value) : value),
  z.number().min(0).max(1_000_000_000).transform(Math.round),
);
