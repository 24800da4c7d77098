import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine, markdownTable } from "../../bench/support/statistics.ts";
import type { ChaosResult } from "./run.ts";

/** Writes `chaos.md` and a picture of each run into a folder. */
export function writeReport(folder: string, results: readonly ChaosResult[]) {
  mkdirSync(folder, { recursive: true });
  const rows = results.map((result) => {
    const { options, promised, lostStock, doubledStock, lostMail, doubledMail, unsettled, seconds, drainSeconds } =
      result;
    const counts = [promised, lostStock, doubledStock, lostMail, doubledMail, unsettled];
    return [
      options.variant,
      String(options.seed),
      String(result.struck.length),
      ...counts.map(String),
      ...[seconds, drainSeconds].map((one) => one.toFixed(0)),
    ];
  });
  const head = [
    "variant",
    "seed",
    "faults",
    "promised",
    "stock lost",
    "doubled",
    "mail lost",
    "doubled",
    "unsettled",
    "seconds",
    "after the last fault",
  ];
  const pictures = results.map((result) => {
    const name = `chaos-${result.options.variant}-${result.options.seed}.svg`;
    writeFileSync(join(folder, name), timeline(result));
    return `![${result.options.variant}, seed ${result.options.seed}](${name})`;
  });
  const text = [
    "# Chaos",
    `\`npm run chaos\`: every promise is counted in Postgres and at the mail server, from outside. ${machine()}.`,
    markdownTable(head, rows),
    "The naive variant commits and then adds to the queue; it has to lose and to double, or these runs would prove nothing.",
    ...pictures,
  ];
  writeFileSync(join(folder, "chaos.md"), `${text.join("\n\n")}\n`);
}

const [width, height, margin] = [900, 320, 40];

function timeline({ options, moments, struck, seconds }: ChaosResult) {
  const x = (at: number) => margin + (at / Math.max(1, seconds)) * (width - 2 * margin);
  const y = (jobs: number) => height - margin - (jobs / options.jobs) * (height - 2 * margin);
  const curve = (pick: "promised" | "done") =>
    moments.map((moment) => `${x(moment.seconds).toFixed(1)},${y(moment[pick]).toFixed(1)}`).join(" ");
  const marks = struck.map(
    ({ name, seconds: at }, index) =>
      `<line x1="${x(at)}" y1="${margin}" x2="${x(at)}" y2="${height - margin}" stroke="#dc2626" stroke-opacity=".35"/>` +
      `<text x="${x(at) + 2}" y="${margin - 4 - (index % 3) * 10}" font-size="8" fill="#991b1b">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">
<rect width="${width}" height="${height}" fill="#fff"/>
${marks.join("\n")}
<polyline points="${curve("promised")}" fill="none" stroke="#2563eb" stroke-width="2"/>
<polyline points="${curve("done")}" fill="none" stroke="#15803d" stroke-width="2"/>
<text x="${margin}" y="${height - 10}" font-size="12" fill="#2563eb">promised</text>
<text x="${margin + 70}" y="${height - 10}" font-size="12" fill="#15803d">done</text>
<text x="${width - margin}" y="${height - 10}" font-size="12" text-anchor="end" fill="#334155">${seconds.toFixed(0)} s, ${options.jobs} jobs, seed ${options.seed}, ${options.variant}</text>
</svg>
`;
}
