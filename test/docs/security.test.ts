import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("each test that docs/security.md names is there", () => {
  const named = readFileSync("docs/security.md", "utf8").match(/`test\/[^`]+`/g) ?? [];
  expect(named.length).toBeGreaterThan(30);
  expect(named.map((name) => name.slice(1, -1)).filter((path) => !existsSync(path))).toEqual([]);
});
