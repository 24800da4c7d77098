import type { z } from "zod";
import type { Violation } from "../errors.ts";

type Source = "query" | "path" | "body";
type Issue = z.core.$ZodIssue;
type Shown = Pick<Violation, "type" | "msg"> & { ctx?: Record<string, unknown> };

/** Puts the parser's complaints in the words of the wire contract (1.11). */
export function toViolations(error: z.ZodError, source: Source, input: unknown): Violation[] {
  return error.issues.map((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    const value = path.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], input);
    const missing = value === undefined || (value === "" && source === "body");
    const shown = missing && issue.code === "invalid_type" ? missingField : describe(issue, value);
    return { ...shown, loc: [source, ...path], input: value === undefined ? null : value };
  });
}

/** A violation for a field that has to be there and is not. */
export const missingField = { type: "missing", msg: "Field required" } as const;

function describe(issue: Issue, value: unknown): Shown {
  switch (issue.code) {
    case "invalid_type":
      return describeType(issue.expected, value);
    case "too_small":
      return issue.origin === "string" ? tooShort(Number(issue.minimum)) : tooSmall(issue);
    case "too_big":
      return issue.origin === "string" ? tooLong(Number(issue.maximum)) : tooBig(issue);
    case "invalid_format":
      if (issue.format === "guid" || issue.format === "uuid") return invalidUuid;
      return { type: "value_error", msg: `Value error, ${issue.message}` };
    case "invalid_value":
      return invalidChoice(issue.values.map(String));
    default:
      return { type: "value_error", msg: `Value error, ${issue.message}` };
  }
}

const invalidUuid = { type: "uuid_parsing", msg: "Input should be a valid UUID, 32 hexadecimal digits are expected" };

function describeType(expected: string, value: unknown): Shown {
  if (expected === "string") return { type: "string_type", msg: "Input should be a valid string" };
  if (expected === "number" || expected === "int") {
    if (typeof value === "number") {
      return { type: "int_from_float", msg: "Input should be a valid integer, got a number with a fractional part" };
    }
    return { type: "int_parsing", msg: "Input should be a valid integer, unable to parse string as an integer" };
  }
  return { type: `${expected}_type`, msg: `Input should be a valid ${expected}` };
}

function tooShort(min: number): Shown {
  const msg = `String should have at least ${min} character${min === 1 ? "" : "s"}`;
  return { type: "string_too_short", msg, ctx: { min_length: min } };
}

function tooLong(max: number): Shown {
  return { type: "string_too_long", msg: `String should have at most ${max} characters`, ctx: { max_length: max } };
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
