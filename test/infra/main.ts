import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { install } from "./installation.ts";
import { installPrograms, lackOf, type Row, rows } from "./servers.ts";
import { steps } from "./steps.ts";

// `npm run verify:infra`: sends the same flow through each kind of server and prints the table, server by step.
// `-- --install` installs Debian's packages for them first. `-- --quick`: the rows of every change. `--only=NAME`: those whose names hold it. `--write`: into the docs.

const { values } = parseArgs({
  options: {
    install: { type: "boolean" },
    quick: { type: "boolean" },
    only: { type: "string" },
    write: { type: "boolean" },
  },
});
const chosen = rows.filter(({ name, isQuick }) =>
  values.only ? name.toLowerCase().includes(values.only.toLowerCase()) : !values.quick || isQuick,
);
if (chosen.length === 0) {
  process.stderr.write(`There is no row '${values.only}'. There are: ${rows.map(({ name }) => name).join(", ")}\n`);
  process.exit(2);
}

if (values.install) installPrograms(chosen);
const page = "docs/infrastructure.md";
const marks = { begin: "<!-- table of verify:infra -->", end: "<!-- end of table -->" };
type Cell = "ok" | "FAILED" | "untried";
let [passed, failed, untried] = [0, 0, 0];
const cells = new Map<string, Cell[]>();
for (const row of chosen) cells.set(row.name, await tryRow(row));
const table = toTable(cells);
process.stdout.write(`\n${table}\n`);
if (values.write) {
  const text = readFileSync(page, "utf8");
  const [before, rest = ""] = text.split(marks.begin);
  writeFileSync(page, `${before}${marks.begin}\n\n${table}\n${marks.end}${rest.split(marks.end)[1] ?? ""}`);
}
if (untried > 0) say(`${untried} rows are untried: their programs are not installed`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);

async function tryRow(row: Row): Promise<Cell[]> {
  const lack = lackOf(row);
  if (lack.length > 0) {
    untried++;
    say(`${row.name}: untried, since ${lack.join(" and ")} is not installed`);
    return [];
  }
  const began = performance.now();
  const result: Cell[] = [];
  const it = await install(row.servers);
  try {
    for (const step of steps) {
      const from = performance.now();
      try {
        await step.run(it);
        passed++;
        result.push("ok");
        say(`ok      ${row.name}: ${step.name} (${seconds(from)})`);
      } catch (error) {
        failed++;
        result.push("FAILED");
        const reason = error instanceof Error ? error.message : String(error);
        say(`FAILED  ${row.name}: ${step.name} (${seconds(from)}): ${reason}\n${it.errors().slice(-5).join("\n")}`);
        // Without processes no other step means anything.
        if (step === steps[0]) break;
      }
    }
  } finally {
    for (const fault of await it.stop()) {
      failed++;
      say(`FAILED  ${row.name}: ${fault}`);
    }
  }
  say(`${row.name}: ${seconds(began)} in all`);
  return result;
}

function toTable(all: ReadonlyMap<string, Cell[]>): string {
  const line = (items: readonly string[]) => `| ${items.join(" | ")} |`;
  const head = ["servers", ...steps.map(({ name }) => name)];
  const body = [...all].map(([name, row]) => line([name, ...steps.map((_step, n) => row[n] ?? "untried")]));
  return `${[line(head), line(head.map(() => "---")), ...body].join("\n")}\n`;
}

function seconds(from: number) {
  return `${((performance.now() - from) / 1_000).toFixed(1)} s`;
}

function say(text: string) {
  process.stdout.write(`${text}\n`);
}
