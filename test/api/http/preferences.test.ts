import { expect, test } from "vitest";
import { patience } from "../../../src/api/http/preferences.ts";

test.each([
  [undefined, 25],
  ["", 25],
  ["wait=3", 3],
  ["wait=0", 0],
  ["wait=600", 60],
  ["respond-async", 0],
  ["Respond-Async, wait=10", 10],
  ["wait=10; foo, respond-async", 10],
  ["return=minimal", 25],
  ["not-respond-asynchronously", 25],
])("with Prefer %j a route waits for %d s", (header, seconds) => {
  expect(patience(header, 25)).toBe(seconds);
});
