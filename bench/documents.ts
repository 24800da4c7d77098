import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { Measured } from "./support/documents/child.ts";
import { openShop } from "./support/shop.ts";
import { machine, markdownTable, median } from "./support/statistics.ts";

export const summary =
  "documents of every format against exceljs, pdfkit and docx: speed, memory, blocking [--rounds 3]";

const seconds = 3;

const titles: Record<string, string> = {
  "xlsx-22700": "XLSX, price list of 22,700 offers from Postgres",
  "xlsx-100000": "XLSX, 100,000 × 10",
  "xlsx-400000": "XLSX, 400,000 × 10",
  "exceljs-100000": "the same 100,000 × 10 with exceljs, streaming, no styles",
  "pdf-first": "PDF, the first one of a process: its fonts are read",
  "pdf-waybill": "PDF, waybill of one page",
  "pdfkit-waybill": "the same with pdfkit",
  "docx-waybill": "DOCX, waybill of one page",
  "docx-package-waybill": "the same with the package docx",
  "pdf-3000": "PDF of 3,000 lines",
  "pdf-22700": "PDF, price list of 22,700 offers from Postgres",
  feed: "Yandex feed of 22,700 offers from Postgres",
};
const repeated = Object.keys(titles).filter((name) => name.endsWith("waybill"));

type Rounds = Map<string, Measured[]>;

/**
 * Makes each document in a process of its own, all of them in turn, `--rounds` times (3), and prints a Markdown table
 * and whether the goals are reached. Takes about a minute for each round. Needs Linux' /proc.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: "string" } } });
  const rounds = Number(values.rounds ?? 3);
  console.log("Starting Postgres and entering 22,700 offers …");
  const shop = await openShop();
  const results: Rounds = new Map();
  try {
    for (let round = 1; round <= rounds; round++) {
      console.log(`Round ${round} of ${rounds} …`);
      for (const name of Object.keys(titles)) {
        results.set(name, [...(results.get(name) ?? []), await measure(name, shop.databaseUrl)]);
      }
    }
  } finally {
    await shop.close();
  }
  console.log(`\n${machine()}; medians of ${rounds} rounds\n`);
  console.log(table(results));
  const { text, isGood } = verdict(results);
  console.log(`\n${text}`);
  if (!isGood) process.exitCode = 1;
}

async function measure(name: string, databaseUrl: string): Promise<Measured> {
  const script = join(import.meta.dirname, "support/documents/child.ts");
  // As `npm run start:worker` starts it.
  const args = ["--max-semi-space-size=4", "--import", "tsx", script, name];
  if (repeated.includes(name)) args.push(String(seconds));
  const env = { ...process.env, DATABASE_URL: databaseUrl };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Measured;
}

function table(results: Rounds): string {
  const head = ["", "a second", "s each", "CPU ms each", "MB above idle", "longest block ms", "its CPU ms", "kB"];
  const rows = Object.entries(titles).map(([name, title]) => {
    const of = (pick: (measured: Measured) => number) => middle(results, name, pick);
    return [
      title,
      repeated.includes(name) ? of(({ documents, seconds }) => documents / seconds).toFixed(0) : "",
      of(({ documents, seconds }) => seconds / documents).toFixed(3),
      of(({ documents, cpuSeconds }) => (cpuSeconds * 1_000) / documents).toFixed(1),
      of(({ aboveIdleMb }) => aboveIdleMb).toFixed(0),
      of(({ blockedMs }) => blockedMs).toFixed(0),
      of(({ turnMs }) => turnMs).toFixed(0),
      of(({ bytes }) => bytes / 1_000).toFixed(0),
    ];
  });
  return markdownTable(head, rows);
}

function middle(results: Rounds, name: string, pick: (measured: Measured) => number) {
  return median((results.get(name) ?? []).map(pick));
}

/** The median, over the rounds, of what `a` took divided by what `b` took in the same round. */
function ratio(results: Rounds, a: string, b: string, pick: (measured: Measured) => number) {
  const [ofA, ofB] = [results.get(a) ?? [], results.get(b) ?? []];
  return median(ofA.map((measured, round) => pick(measured) / pick(ofB[round] ?? measured)));
}

function verdict(results: Rounds) {
  const each = ({ documents, seconds }: Measured) => seconds / documents;
  const cpuEach = ({ documents, cpuSeconds }: Measured) => cpuSeconds / documents;
  const rate = (name: string) => middle(results, name, (measured) => 1 / cpuEach(measured));
  const memory = (name: string) => middle(results, name, ({ aboveIdleMb }) => aboveIdleMb);
  const ours = Object.keys(titles).filter((name) => !/^(exceljs|pdfkit|docx-package)/.test(name));
  const blocked = Math.max(...ours.map((name) => middle(results, name, ({ turnMs }) => turnMs)));
  const goals: [what: string, reached: number, goal: number, atMost?: boolean][] = [
    ["XLSX of 22,700 rows: MB above idle", memory("xlsx-22700"), 100, true],
    ["XLSX of 100,000 rows: MB above idle", memory("xlsx-100000"), 130, true],
    ["XLSX of 400,000 rows: MB above idle", memory("xlsx-400000"), 130, true],
    ["XLSX of 100,000 rows / exceljs, time", ratio(results, "exceljs-100000", "xlsx-100000", each), 2],
    ["XLSX of 100,000 rows / exceljs, CPU", ratio(results, "exceljs-100000", "xlsx-100000", cpuEach), 2],
    ["PDF waybills a second of one core", rate("pdf-waybill"), 100],
    ["DOCX waybills a second of one core", rate("docx-waybill"), 40],
    ["PDF of 3,000 lines: MB above idle", memory("pdf-3000"), 200, true],
    ["feed of 22,700 offers: s of CPU", middle(results, "feed", cpuEach), 2, true],
    ["longest turn of the event loop, ms of CPU", blocked, 100, true],
  ];
  const isReached = (reached: number, goal: number, atMost = false) => (atMost ? reached <= goal : reached >= goal);
  const rows = goals.map(([what, reached, goal, atMost = false]) => [
    what,
    reached.toFixed(reached < 10 ? 2 : 0),
    `${atMost ? "≤" : "≥"} ${goal}`,
    isReached(reached, goal, atMost) ? "reached" : "MISSED",
  ]);
  const isGood = goals.every(([, reached, goal, atMost]) => isReached(reached, goal, atMost));
  return { text: markdownTable(["goal", "here", "asked", ""], rows), isGood };
}
