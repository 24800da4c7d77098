import { cutAfterCommit, restartPostgres } from "../faults/catalogue.ts";
import { inflict } from "../faults/inflict.ts";
import { runScenario } from "../run.ts";
import type { Gate } from "./gate.ts";

const windowMs = 75_000;

export const postgresGate: Gate = {
  name: "PG",
  promise: "Postgres crashes five times and 50 commits lose their answer: nothing is done twice, no process dies.",
  isLong: true,
  async run(options) {
    const { seed, log, progress, jobs = 4_000 } = options;
    const run = await runScenario({
      ...{ name: "PG", seed, jobs, windowMs, apis: 1, log, progress },
      async attack({ stack, random, timeline, complain }) {
        const restarts = Array.from({ length: 5 }, () => restartPostgres);
        const cuts = Array.from({ length: 10 }, () => cutAfterCommit(5));
        await inflict(stack, random, random.shuffle([...restarts, ...cuts]), { windowMs, timeline });
        const { cuts: made } = stack.proxies.postgres.state;
        if (made < 50) complain(`Only ${made} of 50 commits were cut off`);
      },
    });
    options.ran(run);
    return [run];
  },
};
