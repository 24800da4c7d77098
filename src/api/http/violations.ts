import type { z } from "zod";
import type { Violation } from "../../errors.ts";

type Source = "query" | "path" | "body";
type Issue = z.core.$ZodIssue;
type Shown = Pick<Violation, "type" | "msg"> & { ctx?: Record<string, unknown> };

/** More of them do not help the caller. */
const maxShown = 50;
const maxInputLength = 1_000;

/**
 * Puts the parser's complaints in the words of contract 1.11. Of a missing key `input` is null, or what the
 * key is missing in when `missing` says so; long values are left out.
 */
export function toViolations(
  error: z.ZodError,
  source: Source,
  input: unknown,
  missing: "null" | "enclosing" = "null",
): Violation[] {
  return error.issues.slice(0, maxShown).map((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    const value = valueAt(input, path);
    const isMissing = value === undefined || (value === "" && source === "body");
    const isAbsent = ["invalid_value", "invalid_union"].includes(issue.code) && value === undefined;
    const shown = isAbsent || (isMissing && issue.code === "invalid_type") ? missingField : describe(issue, value);
    const named = value === undefined && missing === "enclosing" ? valueAt(input, path.slice(0, -1)) : value;
    return { ...shown, loc: [source, ...path], input: shortened(named) };
  });
}

function valueAt(input: unknown, path: (string | number)[]) {
  return path.reduce<unknown>((part, key) => (part as Record<string, unknown> | null | undefined)?.[key], input);
}

function shortened(value: unknown) {
  if (value === undefined) return null;
  if (typeof value === "string") return value.length > maxInputLength ? `${value.slice(0, maxInputLength)}…` : value;
  return JSON.stringify(value).length > maxInputLength ? null : value;
}

/** A violation for a field that has to be there and is not. */
export const missingField = { type: "missing", msg: "Field required" } as const;

/** Violations for keys of a JSON body that this caller has to send and has not. */
export function missingKeys(names: readonly string[], body: object): Violation[] {
  return names.map((name) => ({ ...missingField, loc: ["body", name], input: shortened(body) }));
}

function describe(issue: Issue, value: unknown): Shown {
  switch (issue.code) {
    case "invalid_type":
      return describeType(issue.expected, value);
    case "too_small":
      return issue.origin === "string" ? tooShort(Number(issue.minimum)) : tooSmall(issue);
    case "too_big":
      if (issue.origin === "array") return tooMany(Number(issue.maximum));
      return issue.origin === "string" ? tooLong(Number(issue.maximum)) : tooBig(issue);
    case "invalid_format":
      return describeFormat(issue.format, issue.message);
    case "invalid_value":
      return invalidChoice(issue.values.map(String));
    case "invalid_union":
      return "options" in issue ? invalidChoice(issue.options.map(String)) : invalidValue(issue.message);
    case "custom":
      return { ...invalidValue(issue.message), ...(issue.params && { ctx: issue.params }) };
    default:
      return invalidValue(issue.message);
  }
}

function describeFormat(format: string, message: string): Shown {
  if (format === "guid" || format === "uuid") return invalidUuid;
  if (format === "email") return invalidEmail;
  if (format === "phone") return { type: "value_error", msg: "value is not a valid phone number" };
  return invalidValue(message);
}

/** Those that say what the value is not stand by themselves. */
function invalidValue(message: string): Shown {
  return { type: "value_error", msg: message.startsWith("value is not ") ? message : `Value error, ${message}` };
}

const invalidUuid = { type: "uuid_parsing", msg: "Input should be a valid UUID, 32 hexadecimal digits are expected" };

const emailReason = "It needs one @, Latin letters only, and a domain such as 'example.ru'.";
const invalidEmail = {
  type: "value_error",
  msg: `value is not a valid email address: ${emailReason}`,
  ctx: { reason: emailReason },
};

/** Something else where a list has to be. */
export const noList = { type: "list_type", msg: "Input should be a valid list" } as const;

/** Something else where an object has to be. */
export const noObject = {
  type: "model_attributes_type",
  msg: "Input should be a valid dictionary or object to extract fields from",
} as const;

function describeType(expected: string, value: unknown): Shown {
  if (expected === "string") return { type: "string_type", msg: "Input should be a valid string" };
  if (expected === "number" || expected === "int") {
    if (typeof value === "number") {
      return { type: "int_from_float", msg: "Input should be a valid integer, got a number with a fractional part" };
    }
    return { type: "int_parsing", msg: "Input should be a valid integer, unable to parse string as an integer" };
  }
  if (expected === "boolean") {
    return { type: "bool_parsing", msg: "Input should be a valid boolean, unable to interpret input" };
  }
  if (expected === "array") return noList;
  if (expected === "object") return noObject;
  return { type: `${expected}_type`, msg: `Input should be a valid ${expected}` };
}

function tooShort(min: number): Shown {
  const msg = `String should have at least ${min} character${min === 1 ? "" : "s"}`;
  return { type: "string_too_short", msg, ctx: { min_length: min } };
}

function tooLong(max: number): Shown {
  return { type: "string_too_long", msg: `String should have at most ${max} characters`, ctx: { max_length: max } };
}

function tooMany(max: number): Shown {
  return { type: "too_long", msg: `List should have at most ${max} items`, ctx: { max_length: max } };
}

function tooSmall({ minimum, inclusive }: z.core.$ZodIssueTooSmall): Shown {
  const min = Number(minimum);
  if (inclusive === false) {
    return { type: "greater_than", msg: `Input should be greater than ${min}`, ctx: { gt: min } };
  }
  return { type: "greater_than_equal", msg: `Input should be greater than or equal to ${min}`, ctx: { ge: min } };
}

function tooBig({ maximum }: z.core.$ZodIssueTooBig): Shown {
  const max = Number(maximum);
  return { type: "less_than_equal", msg: `Input should be less than or equal to ${max}`, ctx: { le: max } };
}

function invalidChoice(values: string[]): Shown {
  const quoted = values.map((value) => `'${value}'`);
  const expected = [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter(Boolean).join(" or ");
  return { type: "enum", msg: `Input should be ${expected}`, ctx: { expected } };
}
