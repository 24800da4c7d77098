import { expect, test } from "vitest";
import { z } from "zod";
import { routes } from "../../src/api/routes/index.ts";

type Part = z.core.$ZodType;

/** Every list in a schema, however deep. */
function* listsOf(schema: Part): Generator<z.ZodArray> {
  if (schema instanceof z.ZodArray) yield schema;
  for (const part of Object.values(schema._zod.def).flatMap(partsOf)) yield* listsOf(part);
}

function partsOf(value: unknown): Part[] {
  if (value instanceof z.core.$ZodType) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).filter((part): part is Part => part instanceof z.core.$ZodType);
}

/** The largest length that a list allows; undefined when it has no bound. */
function maxOf({ _zod }: z.ZodArray) {
  const bound = _zod.def.checks?.map((check) => check._zod.def).find(({ check }) => check === "max_length");
  return (bound as z.core.$ZodCheckMaxLengthDef | undefined)?.maximum;
}

const found = routes.flatMap(({ method, path, body, query }) =>
  [body, query]
    .flatMap((schema) => (schema ? [...listsOf(schema)] : []))
    .map((list) => ({ name: `${method} ${path}`, list })),
);

test("the walk finds the lists in requests", () => {
  expect(found.length).toBeGreaterThan(5);
});

// A megabyte of wrong entries would otherwise be a hundred thousand complaints before the list is found too long.
test.each(found)("a list in $name is bounded, and counted before its entries are looked at", ({ list }) => {
  const max = maxOf(list) ?? Number.NaN;
  expect(max).toBeLessThanOrEqual(1_000);
  const tooMany = Array.from({ length: max + 1 }, () => null);
  expect(list.safeParse(tooMany).error?.issues.map(({ code }) => code)).toEqual(["too_big"]);
});
