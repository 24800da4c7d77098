import { setTimeout as sleep } from "node:timers/promises";
import { type Fire, runScenario } from "../run.ts";
import type { Gate } from "./gate.ts";

const rollouts = 3;
const ordersPerSecond = 50;
const windowMs = 75_000;

export const deployGate: Gate = {
  name: "DEPLOY",
  promise: `${rollouts} rolling restarts under ${ordersPerSecond} orders a second, two releases of a payload side by side: no 5xx, no failed job, exit code 0.`,
  isLong: true,
  async run(options) {
    const { seed, log, progress, jobs = 3_000 } = options;
    const run = await runScenario({
      ...{ name: "DEPLOY", seed, jobs, windowMs, apis: 2, isDirect: true, ordersPerSecond, log, progress },
      async attack(fire) {
        // To release 2, back, and to it again; the producer in the middle, so that both kinds of worker see both payloads.
        for (let n = 1; n <= rollouts; n++) {
          await sleep(3_000);
          await rollOut(fire, n % 2 === 1 ? "2" : "1");
        }
      },
    });
    // No server was unavailable, so there is no excuse.
    const unavailable = run.answers["503"] ?? 0;
    if (unavailable > 0) run.violations.push(`${unavailable} orders were answered 503`);
    options.ran(run);
    return [run];
  },
};

async function rollOut({ stack: { fleet }, timeline, complain }: Fire, release: "1" | "2") {
  const mark = timeline.mark(`roll-out of release ${release}`);
  for (const name of ["worker-1", "producer", "api-1", "worker-2", "api-2", "worker-3", "relay"]) {
    const { role } = fleet.find(name);
    const code = await fleet.roll(name, { ...role, env: { ...role.env, RELEASE: release } });
    if (code !== 0) complain(`${name} was asked to stop and ended with ${code} instead of 0`);
    await sleep(300);
    await fleet.untilReady(name);
  }
  mark.end("one process after the other");
}
