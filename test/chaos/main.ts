import { parseArgs } from "node:util";
import { isSpotless } from "./oracle.ts";
import { writeReport } from "./report.ts";
import { type ChaosResult, runChaos } from "./run.ts";

// `npm run chaos`: a short run and the naive variant under the same seed. `-- --long`: five seeds of 10,000 jobs and 50
// faults. `--seed=N --jobs=N --faults=N` change one run; `--report=folder` says where its report goes.

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    jobs: { type: "string" },
    faults: { type: "string" },
    report: { type: "string", default: "var/chaos" },
    variant: { type: "string" },
  },
});
const [jobs, faults] = [
  Number(values.jobs ?? (values.long ? 10_000 : 2_000)),
  Number(values.faults ?? (values.long ? 50 : 15)),
];
const first = Number(values.seed);
const seeds = values.long ? [0, 1, 2, 3, 4].map((step) => first + step) : [first];

const results: ChaosResult[] = [];
for (const variant of ["ours", "naive"] as const) {
  if (values.variant !== undefined && values.variant !== variant) continue;
  for (const seed of variant === "ours" ? seeds : seeds.slice(0, 1)) {
    const progress = (line: string) => void (process.stdout.isTTY && process.stdout.write(`\r${line}\u001b[K`));
    const result = await runChaos({ variant, jobs, faults, seed, progress });
    results.push(result);
    const { promised, lostStock, doubledStock, lostMail, doubledMail, unsettled, seconds, drainSeconds } = result;
    process.stdout.write(
      `\r${variant}, seed ${seed}: ${promised} promised; stock ${lostStock} lost, ${doubledStock} doubled; mail ${lostMail} lost, ` +
        `${doubledMail} doubled; ${unsettled} unsettled; ${seconds.toFixed(0)} s, of which ${drainSeconds.toFixed(0)} s after the last fault\n`,
    );
  }
}
writeReport(values.report, results);
const isGood = results.every((result) => isSpotless(result) === (result.options.variant === "ours"));
process.stdout.write(isGood ? "As it should be.\n" : "Not as it should be.\n");
process.exit(isGood ? 0 : 1);
