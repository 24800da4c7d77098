import parsePhoneNumber from "libphonenumber-js";
import { z } from "zod";
import { withoutWebAddresses } from "../../services/mail/web-addresses.ts";

/** Postgres refuses U+0000, and no name, slug or id has control characters; line breaks belong in notes. */
const printable = /^[^\p{Cc}\p{Cs}]*$/u;

/** One line of text that people read, trimmed. */
export const line = (max = 300) =>
  z.string().trim().min(1).max(max).regex(printable, "the text has control characters in it");

/** A required field of a form, where an empty value counts as missing (contract 1.8). */
export const required = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

/** A whole number, also as text: `5`, `+5` and `5.0` are the same. */
export const integer = (schema: z.ZodType<number>) =>
  z.preprocess((value) => {
    const isWhole = typeof value === "string" && /^\s*[+-]?\d{1,16}(\.0*)?\s*$/.test(value);
    return isWhole ? Number(value) : value;
  }, schema);

/** A UUID in any of its usual spellings (contract 1.3); the result is in lower case with dashes. */
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

/** A moment in the clients' format: ISO 8601 in UTC, ending in `Z`. */
export const timestamp = z.iso.datetime().meta({ description: "ISO 8601, UTC" });

/** True or false in any of its usual spellings (contract 1.7). */
export const boolean = z.preprocess((value) => {
  // An object may have a toString that is not a function.
  const text = typeof value === "object" ? "" : String(value).toLowerCase();
  if (["true", "1", "yes", "on", "t", "y"].includes(text)) return true;
  return ["false", "0", "no", "off", "f", "n"].includes(text) ? false : value;
}, z.boolean());

/** Text of several lines, trimmed; empty is null. */
export const lines = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u, "the text has control characters in it")
    .transform((text) => text || null)
    .nullable();

/** A note of people. */
export const note = lines(5_000);

/** One optional line: empty is null. */
export const optionalLine = (max = 300) =>
  z.preprocess((value) => (typeof value === "string" && value.trim() === "" ? null : value), line(max).nullable());

/** Whole roubles. */
export const roubles = integer(z.int().min(0).max(1_000_000_000));

/** Whole roubles from an amount that may have kopecks: half a rouble is rounded up. */
export const roundedRoubles = z.preprocess(
  (value) => (typeof value === "string" && /^\s*[+-]?\d{1,15}(\.\d*)?\s*$/.test(value) ? Number(value) : value),
  z.number().min(0).max(1_000_000_000).transform(Math.round),
);

/** The number of pieces of a line. */
export const pieces = integer(z.int().gt(0).max(1_000_000));

/** A search term, trimmed; `%` and `_` are literal. */
export const searchTerm = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "the text has control characters in it");

/** One e-mail address that the clients' own check accepts: ASCII, and a domain with a dot (contract 1.16). */
const exactEmail = z.email({ pattern: new RegExp(`^(?=.{1,254}$)${z.regexes.email.source.slice(1)}`) });

/** An e-mail address as people type it, perhaps with blanks around it. */
export const email = z.string().trim().pipe(exactEmail).meta({ format: "email" });

/**
 * Whether an identity provider calls a user's e-mail verified, under either of the usual names; null when it does not
 * tell. False wins, and a value that is neither true nor false counts as unverified.
 */
export function provedBy(said: Readonly<Record<string, unknown>>): boolean | null {
  const values = [said.email_verified, said.emailVerified].filter((one) => one !== undefined && one !== null);
  return values.length === 0 ? null : values.every((one) => one === true || one === "true");
}

/**
 * A phone number as people write it, Russian without a country code; the result is E.164, with an extension as RFC 3966
 * writes it: `+79780424666;ext=12`.
 */
export const phone = z
  .string()
  .transform((text, context) => {
    const number = readPhone(text);
    if (number !== undefined) return number;
    context.addIssue({ code: "invalid_format", format: "phone", input: text });
    return z.NEVER;
  })
  .meta({ examples: ["+79780424666", "8 (978) 042-46-66", "8 (978) 042-46-66 доб. 12"] });

/** An optional phone number: empty is null. */
export const optionalPhone = z.preprocess(
  (value) => (typeof value === "string" && value.trim() === "" ? null : value),
  phone.nullable(),
);

function readPhone(text: string) {
  // Other parameters of RFC 3966 would be lost.
  if (text.length > 60 || /;(?!ext=)/i.test(text)) return undefined;
  const number = parsePhoneNumber(text.trim().replace(/^tel:/i, ""), { defaultCountry: "RU", extract: false });
  if (!number?.isValid()) return undefined;
  return number.ext ? `${number.number};ext=${number.ext}` : number.number;
}

/**
 * A name from the identity provider: characters that Postgres or a page cannot accept are removed, and so are web
 * addresses; no user is refused.
 */
export const givenName = z.string().transform((text) =>
  withoutWebAddresses(
    text
      .slice(0, 300)
      .replace(/[\p{Cc}\p{Cs}]/gu, "")
      .trim(),
  ),
);
