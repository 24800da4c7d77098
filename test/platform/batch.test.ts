import { describe, expect, test } from "vitest";
import { createBatcher } from "../../src/platform/batch.ts";

describe("folded calls", () => {
  function folded(answer: (items: number[]) => Promise<number[]>, options = {}) {
    const calls: number[][] = [];
    const one = createBatcher<number, number>(
      (items) => {
        calls.push(items);
        return answer(items);
      },
      { size: 3, maxInFlight: 1, failsWholeBatch: () => false, ...options },
    );
    return { one, calls };
  }
  const doubled = async (items: number[]) => items.map((item) => item * 2);

  test("the first goes at once, and those that come meanwhile go together", async () => {
    const { one, calls } = folded(doubled);
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((item) => one(item)));
    expect(answers).toEqual([2, 4, 6, 8, 10, 12]);
    expect(calls).toEqual([[1], [2, 3, 4], [5, 6]]);
  });

  test("as many calls are under way as there are lanes", async () => {
    const { one, calls } = folded(doubled, { maxInFlight: 2 });
    await Promise.all([1, 2, 3, 4].map((item) => one(item)));
    expect(calls).toEqual([[1], [2], [3, 4]]);
  });

  test("one bad item fails alone", async () => {
    const { one } = folded(async (items) => {
      if (items.includes(3)) throw new Error("three");
      return doubled(items);
    });
    const answers = await Promise.allSettled([1, 2, 3, 4].map((item) => one(item)));
    expect(answers.map((answer) => (answer.status === "fulfilled" ? answer.value : "failed"))).toEqual([
      2,
      4,
      "failed",
      8,
    ]);
  });

  test("what concerns all fails all, without another try", async () => {
    const { one, calls } = folded(() => Promise.reject(new Error("away")), { failsWholeBatch: () => true });
    const answers = await Promise.allSettled([1, 2, 3].map((item) => one(item)));
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(calls).toEqual([[1], [2, 3]]);
  });

  test("after a call with several items the next one waits for its time, or until it has flushAt", async () => {
    const hourMs = 3_600_000;
    const { one, calls } = folded(doubled, { size: 100, minIntervalMs: hourMs, flushAt: 3 });
    await Promise.all([1, 2, 3].map((item) => one(item)));
    expect(calls, "a call with one item delays no other call").toEqual([[1], [2, 3]]);
    const waiting = [one(4), one(5)];
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toHaveLength(2);
    await Promise.all([...waiting, one(6)]);
    expect(calls).toEqual([[1], [2, 3], [4, 5, 6]]);
  });
});
