import { afterEach, expect, test, vi } from "vitest";
import { createRateLimits } from "../../src/platform/rate-limits.ts";

afterEach(() => vi.restoreAllMocks());

test("a window that begins now is over in its own length, not in a second more", () => {
  const limits = createRateLimits({
    redis: undefined as never,
    prefix: "test",
    here: { public: { points: 5, seconds: 60 } },
    everywhere: {},
  });
  // Sixty thousand more and less again is a little more than sixty thousand, in the arithmetic of computers.
  vi.spyOn(performance, "now").mockReturnValue(226670.616);
  expect(limits.countHere("public", "a caller")).toMatchObject({ remaining: 4, resetSeconds: 60 });
});
