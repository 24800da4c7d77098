import { afterAll, vi } from "vitest";

/** A monotonic clock that the tests of a file can put forward; it never goes back before their end. */
export function useClockAhead() {
  const real = performance.now.bind(performance);
  const now = vi.spyOn(performance, "now");
  let ahead = 0;
  now.mockImplementation(() => real() + ahead);
  afterAll(() => now.mockRestore());
  return {
    /** Lets `performance.now()` of this process be so much later. */
    pass(ms: number) {
      ahead += ms;
    },
  };
}
