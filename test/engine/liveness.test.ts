import { afterEach, describe, expect, test, vi } from "vitest";
import { type LivenessOptions, watchFetching } from "../../src/engine/liveness.ts";

const state = { running: 0, begun: 0, isRunning: true, isStopping: false };
let close = () => {};
afterEach(() => close());

function watch(hasReady: LivenessOptions["hasReady"], limitMs = 60) {
  Object.assign(state, { running: 0, begun: 0, isRunning: true, isStopping: false });
  const looks = vi.fn(hasReady);
  const watched = watchFetching({
    fetching: [
      { queue: "mail", isRunning: () => state.isRunning, running: () => state.running, begun: () => state.begun },
    ],
    hasReady: looks,
    isStopping: () => state.isStopping,
    limitMs,
    lookMs: 5,
  });
  close = watched.close;
  return { verdict: () => watched.checks()["fetch mail"], looks };
}

const aWhile = (looks: ReturnType<typeof vi.fn>) =>
  vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(30), 10_000);

describe("watchFetching", () => {
  test("finds a worker that lives, and takes nothing although jobs are ready", async () => {
    const { verdict } = watch(async () => true);
    expect(verdict()).toBe("ok");
    await vi.waitFor(
      () => expect(verdict()).toMatch(/no job of queue 'mail' was taken for \d+ s although jobs are ready/),
      10_000,
    );
    // Each job that starts holds for 60 ms only, which a busy machine may miss.
    await vi.waitFor(() => {
      state.begun++;
      expect(verdict()).toBe("ok");
    }, 10_000);
  });

  test("finds a loop that has ended, unless the process stops", () => {
    const { verdict } = watch(async () => false);
    state.isRunning = false;
    expect(verdict()).toBe("the loop that takes jobs of queue 'mail' has ended");
    state.isStopping = true;
    expect(verdict()).toBe("ok");
  });

  test("leaves a worker alone that has nothing to do", async () => {
    const { verdict, looks } = watch(async () => false, 0);
    await aWhile(looks);
    expect(verdict()).toBe("ok");
  });

  test("leaves a worker alone that is busy", async () => {
    const { verdict } = watch(async () => true, 0);
    state.running = 1;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(verdict()).toBe("ok");
  });

  test("holds nothing against a worker while Redis does not answer", async () => {
    const { verdict, looks } = watch(() => Promise.reject(new Error("Redis is unavailable")), 0);
    await aWhile(looks);
    expect(verdict()).toBe("ok");
  });
});
