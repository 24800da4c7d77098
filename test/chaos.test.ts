import { describe, expect, test } from "vitest";
import { naive, shortChaos } from "./chaos/gates/chaos.ts";
import type { Gate } from "./chaos/gates/gate.ts";
import { redisShort } from "./chaos/gates/redis.ts";

const runOf = async (gate: Gate) => {
  const options = { seed: 1, jobs: undefined, faults: undefined, seeds: undefined, minutes: undefined };
  const [run] = await gate.run({ ...options, log: () => undefined, ran: () => undefined });
  if (!run) throw new Error(`Gate ${gate.name} ran nothing`);
  return run;
};

// Real processes, killed and frozen; Redis wiped, Postgres crashed, mails cut off. `npm run chaos` says more.
describe("under fire", () => {
  test("2,000 jobs under 15 faults all happen, each once", { timeout: 180_000 }, async () => {
    const { violations, stock, mail, timeline, drainMs } = await runOf(shortChaos);
    expect(violations).toEqual([]);
    expect([stock.done, mail.done]).toEqual([1_000, 1_000]);
    expect(timeline.marks).toHaveLength(15);
    expect(drainMs).toBeLessThan(60_000);
  });
});

describe("in the same harness", () => {
  test("what people write first loses jobs and does some twice", { timeout: 180_000 }, async () => {
    const { violations, stock, mail } = await runOf(naive);
    expect(violations).toEqual([]);
    expect(stock.lost + mail.lost).toBeGreaterThan(0);
    expect(stock.doubled + mail.doubled).toBeGreaterThan(0);
  });

  test("Redis away for 20 s stops nothing for longer than that", { timeout: 180_000 }, async () => {
    const { violations, stock, mail } = await runOf(redisShort);
    expect(violations).toEqual([]);
    expect(stock.done + mail.done).toBe(stock.promised + mail.promised);
  });
});
