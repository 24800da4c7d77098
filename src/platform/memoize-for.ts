/**
 * Calls `load` at most once in this many milliseconds; all callers meanwhile get the same answer, also when it failed.
 */
export function memoizeFor<T>(load: () => Promise<T>, ms = 500) {
  let last: { value: Promise<T>; at: number } | undefined;
  return () => {
    if (!last || performance.now() - last.at > ms) last = { value: load(), at: performance.now() };
    return last.value;
  };
}
