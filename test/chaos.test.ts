import { describe, expect, test } from "vitest";
import { isSpotless } from "./chaos/oracle.ts";
import { runChaos } from "./chaos/run.ts";

// Real processes, killed and stopped; Redis wiped, Postgres restarted, mails cut off. `npm run chaos` says more.
describe("under fifteen faults", () => {
  const run = { jobs: 2_000, faults: 15, seed: 1 };

  test("2,000 promises all happen, each once", { timeout: 240_000 }, async () => {
    const { options: _options, moments: _moments, struck, ...verdict } = await runChaos({ ...run, variant: "ours" });
    expect(verdict).toMatchObject({ promised: 2_000, lostStock: 0, doubledStock: 0, lostMail: 0, doubledMail: 0 });
    expect(isSpotless(verdict)).toBe(true);
    expect(struck).toHaveLength(15);
  });

  test("what people write first loses some and does some twice, so this would notice", {
    timeout: 240_000,
  }, async () => {
    const { lostStock, lostMail, doubledStock, doubledMail } = await runChaos({ ...run, variant: "naive" });
    expect(lostStock + lostMail).toBeGreaterThan(0);
    expect(doubledStock + doubledMail).toBeGreaterThan(0);
  });
});
