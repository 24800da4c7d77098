import { vi } from "vitest";

/**
 * Machines stall for seconds. A wait in a test is for a condition, and how long it may take is no claim of the test: what
 * is a claim is asserted. So no wait is shorter than this, and a test that would wait in vain ends by its own time.
 */
const leastMs = 60_000;

const { waitFor } = vi;
vi.waitFor = ((callback, options) => {
  const given = typeof options === "number" ? { timeout: options } : options;
  return waitFor(callback, { ...given, timeout: Math.max(leastMs, given?.timeout ?? 0) });
}) as typeof waitFor;
