import { chooseFaults } from "../faults/catalogue.ts";
import { inflict } from "../faults/inflict.ts";
import { type RunResult, runScenario, type Scenario } from "../run.ts";
import type { Gate, GateOptions } from "./gate.ts";

interface Size {
  jobs: number;
  faults: number;
  windowMs: number;
  workers: number;
  apis: number;
}

const short: Size = { jobs: 2_000, faults: 15, windowMs: 22_000, workers: 2, apis: 0 };
const long: Size = { jobs: 10_000, faults: 50, windowMs: 90_000, workers: 3, apis: 1 };
/** What a run may take in all. */
const shortLimitMs = 60_000;
const longLimitMs = 180_000;

function scenario(name: string, size: Size, seed: number, options: GateOptions): Scenario {
  const { jobs = size.jobs, faults = size.faults, log, progress } = options;
  const { windowMs, workers, apis } = size;
  return {
    ...{ name, seed, jobs, windowMs, workers, apis, log, progress },
    attack: ({ stack, random, timeline }) =>
      inflict(stack, random, chooseFaults(random, faults, stack.fleet.names("")), { windowMs, timeline }),
  };
}

async function within(limitMs: number, options: GateOptions, one: Scenario): Promise<RunResult> {
  const run = await runScenario(one);
  if (run.totalMs > limitMs)
    run.notes.push(`It took ${Math.round(run.totalMs / 1_000)} s; the goal is ${limitMs / 1_000} s.`);
  options.ran(run);
  return run;
}

export const shortChaos: Gate = {
  name: "CH-S",
  promise: "2,000 jobs under 15 faults: none lost, none doubled, none unknown, all over within 60 s of the last fault.",
  isLong: false,
  run: async (options) => [await within(shortLimitMs, options, scenario("CH-S", short, options.seed, options))],
};

export const longChaos: Gate = {
  name: "CH-L",
  promise:
    "10,000 jobs under 50 faults, five seeds: none lost, none doubled, none unknown, all over within 60 s of the last fault.",
  isLong: true,
  async run(options) {
    const runs: RunResult[] = [];
    for (let n = 0; n < (options.seeds ?? 5); n++) {
      runs.push(await within(longLimitMs, options, scenario("CH-L", long, options.seed + n, options)));
    }
    return runs;
  },
};

/** Which job a fault hits is chance; a harness that finds nothing by so many seeds has no teeth. */
const naiveSeeds = 4;

async function runNaive(seed: number, options: Parameters<Gate["run"]>[0]) {
  const run = await runScenario({ ...scenario("NAIVE", short, seed, options), variant: "naive" });
  const [lost, doubled] = [run.stock.lost + run.mail.lost, run.stock.doubled + run.mail.doubled];
  run.notes.push(`It lost ${lost} jobs and did ${doubled} twice.`);
  // What is wrong with it is what it is for.
  run.violations = [
    ...(lost === 0 ? ["The naive variant lost nothing: the harness has no teeth"] : []),
    ...(doubled === 0 ? ["The naive variant doubled nothing: the harness has no teeth"] : []),
  ];
  return run;
}

export const naive: Gate = {
  name: "NAIVE",
  promise: "The same harness finds lost and doubled jobs in what people write first, so it would find ours.",
  isLong: false,
  async run(options) {
    let run = await runNaive(options.seed, options);
    for (let n = 1; n < naiveSeeds && run.violations.length > 0; n++) run = await runNaive(options.seed + n, options);
    options.ran(run);
    return [run];
  },
};
