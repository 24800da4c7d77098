import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine, markdownTable } from "../../../bench/support/statistics.ts";
import type { GateResult } from "../gates/gate.ts";
import type { Tally } from "../oracle.ts";
import type { RunResult } from "../run.ts";
import { drawRun } from "./svg.ts";

/** Writes `<gate>.md` and a picture of each of its runs into a folder; returns the path of the page. */
export function writeReport(folder: string, gate: GateResult, command: string): string {
  mkdirSync(folder, { recursive: true });
  const pictures = gate.runs.map((run, n) => {
    const file = `${gate.name.toLowerCase()}-${n + 1}.svg`;
    writeFileSync(join(folder, file), drawRun({ ...run, jobs: run.stock.promised + run.mail.promised }));
    return file;
  });
  const path = join(folder, `${gate.name.toLowerCase()}.md`);
  writeFileSync(path, page(gate, pictures, command));
  return path;
}

const page = ({ name, promise, runs, failures }: GateResult, pictures: string[], command: string) => `# ${name}

${promise}

**${failures.length === 0 ? "Passed" : "Failed"}**, ${new Date().toISOString()}, ${machine()}. Made by \`${command}\`.

${failures.map((failure) => `- ${failure}\n`).join("")}
${markdownTable(head, runs.map(row))}

${runs.map((run, n) => section(run, pictures[n] ?? "")).join("\n")}`;

const head = [
  ...["run", "seed", "jobs", "faults", "stock lost / doubled", "mail lost / doubled", "unknown", "failed", "stuck"],
  ...["drained after", "in all"],
];

function row({ name, seed, stock, mail, timeline, drainMs, totalMs }: RunResult): string[] {
  const both = (key: keyof Tally) => String(stock[key] + mail[key]);
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  return [
    ...[name, String(seed), both("promised"), String(timeline.marks.length)],
    ...[`${stock.lost} / ${stock.doubled}`, `${mail.lost} / ${mail.doubled}`],
    ...[both("unknown"), both("failed"), both("stuck"), seconds(drainMs), seconds(totalMs)],
  ];
}

function section(run: RunResult, picture: string): string {
  const { client, processes, answers, guests, timeline, notes } = run;
  const said = Object.entries(answers).map(([status, times]) => `${status}: ${times}`);
  const lines = [
    ...notes,
    `Requests to the producer: ${client.asked}, of which ${client.outages} were answered 503 and ${client.resets} not at all.`,
    ...(said.length > 0
      ? [
          `Orders of guests: ${guests.promised} taken, ${guests.lost} lost, ${guests.doubled} doubled (answers ${said.join(", ")}).`,
        ]
      : []),
    `Processes: ${processes.starts} started, ${processes.kills} killed, at most ${processes.peakRssMb} MB and ${processes.peakFiles} open files in one.`,
    ...(run.violations.length > 0 ? run.violations.map((violation) => `**${violation}**`) : []),
  ];
  const faults = timeline.marks.map(({ name, at, until, what }) => [
    `${(at / 1_000).toFixed(1)} s`,
    `${((until - at) / 1_000).toFixed(1)} s`,
    name,
    what,
  ]);
  return `## ${run.name}, seed ${run.seed}

![Jobs promised and finished over time, and faults](${picture})

${lines.map((line) => `- ${line}`).join("\n")}

<details><summary>Faults</summary>

${markdownTable(["at", "for", "fault", "what it hit"], faults)}

</details>
`;
}
