import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { chartReadme } from "../../scripts/chart-readme.ts";

it("is what `npm run chart:readme` makes of the values", () => {
  expect(readFileSync("helm/README.md", "utf8")).toBe(chartReadme());
});

it("cannot be made of a value without an explanation", () => {
  expect(() => chartReadme("a:\n  # -- Known.\n  b: 1\n  c: 2\n")).toThrow("does not say what a.c is");
});
