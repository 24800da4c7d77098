import { parseArgs } from "node:util";
import { isMet, writeReport } from "./report.ts";
import { playAll } from "./scenarios.ts";
import { openServers } from "./servers.ts";

// `npm run autoscale-sim` measures the goals G1 to G9 of `scenarios.ts`. `-- --only=burst,steady` plays some scenarios;
// `--report=docs/proof/autoscale` says where the report goes. With `--certain` only what may never happen on any
// machine makes the exit code 1: the others depend on what else the machine does.

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    report: { type: "string", default: "var/autoscale" },
    certain: { type: "boolean" },
  },
});
const began = performance.now();
const servers = await openServers();
try {
  const results = await playAll(servers, values.only, ({ name }) => process.stdout.write(`${name} is played\n`));
  const seconds = (performance.now() - began) / 1_000;
  writeReport(values.report, results, seconds);
  const goals = results.flatMap(({ name, goals }) => goals.map((one) => ({ name, ...one })));
  for (const one of goals) {
    const verdict = isMet(one) ? "met   " : "MISSED";
    process.stdout.write(
      `${verdict} ${one.id} ${one.name}: ${one.what}: ${one.value.toFixed(1)} ${one.unit}, at most ${one.limit}\n`,
    );
  }
  const missed = goals.filter((one) => !isMet(one)).length;
  process.stdout.write(`${goals.length - missed} goals met, ${missed} missed, in ${seconds.toFixed(0)} s\n`);
  const bad = goals.filter((one) => !isMet(one) && (!values.certain || one.certain));
  process.exitCode = bad.length === 0 ? 0 : 1;
} finally {
  await servers.close();
}
process.exit();
