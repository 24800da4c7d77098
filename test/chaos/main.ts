import { type GateOptions, runGate } from "./gates/gate.ts";
import { gates } from "./gates/index.ts";
import { readOptions } from "./options.ts";
import { writeReport } from "./report/markdown.ts";
import type { RunResult } from "./run.ts";
import type { Progress } from "./watch.ts";

// `npm run chaos`: the short gates. `-- --long`: the long ones. `--gate=NAME` (again and again): those alone.

const options = readOptions(process.argv.slice(2));
const unknown = options.gates.filter((name) => !gates.some((gate) => gate.name === name));
if (unknown.length > 0) {
  say(`There is no gate ${unknown.join(", ")}. There are: ${gates.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const chosen = gates.filter(({ name, isLong }) =>
  options.gates.length > 0 ? options.gates.includes(name) : isLong === options.long,
);
const command = ["npm run chaos", ...(process.argv.length > 2 ? ["--"] : []), ...process.argv.slice(2)].join(" ");

let failed = 0;
let shownAt = 0;
for (const gate of chosen) {
  say(`${gate.name}: ${gate.promise}`);
  const result = await runGate(gate, {
    ...options,
    log: logLine,
    progress: showProgress,
    ran: showRun,
  } satisfies GateOptions);
  for (const failure of result.failures) say(`  ${failure}`);
  const path = writeReport(options.report, result, command);
  say(`${gate.name} ${result.failures.length === 0 ? "passed" : "FAILED"}; ${path}`);
  if (result.failures.length > 0) failed++;
}
process.exitCode = failed > 0 ? 1 : 0;

function say(line: string) {
  process.stdout.write(`${process.stdout.isTTY ? "\r\u001b[K" : ""}${line}\n`);
}

/** One line that is written again; without a terminal, one every ten seconds. */
function showProgress({ seconds, wanted, promised, finished, faults, fault }: Progress) {
  const line = `${seconds.toFixed(0).padStart(4)} s  ${promised} of ${wanted} promised, ${finished} finished, ${faults} faults: ${fault}`;
  const turn = Math.floor(seconds / 10);
  if (!process.stdout.isTTY && turn !== shownAt) say(line);
  shownAt = turn;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
}

function showRun({ name, seed, stock, mail, drainMs, totalMs, notes, timeline }: RunResult) {
  const sum = (key: keyof typeof stock) => stock[key] + mail[key];
  say(
    `  ${name}, seed ${seed}: ${sum("promised")} jobs, ${timeline.marks.length} faults; lost ${stock.lost} + ${mail.lost}, ` +
      `doubled ${stock.doubled} + ${mail.doubled}, unknown ${sum("unknown")}, failed ${sum("failed")}, stuck ${sum("stuck")}; ` +
      `drained ${(drainMs / 1_000).toFixed(1)} s after the last fault, ${(totalMs / 1_000).toFixed(0)} s in all`,
  );
  for (const note of notes) say(`    ${note}`);
}

/** What the processes say, for a person who looks for a bug. */
function logLine(line: string) {
  if (process.env.CHAOS_LOG_LEVEL) process.stderr.write(`${line}\n`);
}
