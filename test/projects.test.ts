import { globSync } from "node:fs";
import { expect, test } from "vitest";
import { slow, unit } from "./projects.ts";

test.each([...unit, ...slow])("the pattern %s finds tests", (pattern) => {
  expect(globSync(pattern)).not.toEqual([]);
});

test("no test is both quick and slow", () => {
  expect(globSync(unit).filter((file) => slow.includes(file))).toEqual([]);
});
