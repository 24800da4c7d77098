import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../../dev/demo/random.ts";
import { type Guests, startGuests } from "./guests.ts";
import { type Load, startLoad } from "./load.ts";
import { judge, type Verdict } from "./oracle.ts";
import { createTimeline, type Timeline } from "./report/timeline.ts";
import { retryTwice } from "./retry-twice.ts";
import { withoutLedgerSql } from "./schema.ts";
import { type Stack, startStack } from "./stack.ts";
import { type Progress, startWatch } from "./watch.ts";

export type Variant = "ledger" | "naive";

/** What an attack has to do with. */
export interface Fire {
  stack: Stack;
  random: Random;
  timeline: Timeline;
  load: Load;
  guests: Guests | undefined;
  /** Notes something that must not be. */
  complain(sentence: string): void;
  /** Notes a figure for the report. */
  note(sentence: string): void;
}

export interface Scenario {
  name: string;
  seed: number;
  /** Half stock, half mail. */
  jobs: number;
  /** Over so long they are promised. */
  windowMs: number;
  /** `naive`: commit, then `queue.add`; no ledger. */
  variant?: Variant;
  workers?: number;
  /** Real API processes that guests order from. */
  apis?: number;
  ordersPerSecond?: number;
  redisGroup?: "sentinel" | "cluster";
  isDirect?: boolean;
  /** What goes wrong; resolves when it is over. */
  attack: (fire: Fire) => Promise<void>;
  /** Jobs that the attack makes fail for good, as they should. */
  failing?: () => number;
  log?: (line: string) => void;
  progress?: ((now: Progress) => void) | undefined;
}

export interface RunResult extends Verdict {
  name: string;
  seed: number;
  variant: Variant;
  timeline: Timeline;
  notes: string[];
  /** From the end of the attack, or of the last promise, until the last job was over. */
  drainMs: number;
  totalMs: number;
  /** Requests of the client, and how those ended that were not acknowledged. */
  client: Load["counts"];
  /** Answers of the API by status. */
  answers: Record<string, number>;
  processes: { starts: number; kills: number; peakRssMb: number; peakFiles: number };
}

/** What the drain may take. */
export const drainLimitMs = 60_000;
/** The naive variant cannot say that it is done. */
const naiveDrainMs = 15_000;
/** Bounds for one process of ours. */
const largestRssMb = 500;
const mostFiles = 250;

/** One run: starts everything, promises jobs under an attack, waits until all is over, and judges what is left. */
export async function runScenario(scenario: Scenario): Promise<RunResult> {
  const began = Date.now();
  const stack = await startStack(scenario);
  let result: RunResult;
  let exits: Record<string, string>;
  try {
    await startProcesses(stack, scenario);
    result = await underFire(stack, scenario);
  } finally {
    exits = await stack.stop();
  }
  result.totalMs = Date.now() - began;
  if (result.variant === "naive") return result;
  for (const [name, code] of Object.entries(exits)) {
    if (code !== "0") result.violations.push(`${name} was asked to stop and ended with ${code} instead of 0`);
  }
  return result;
}

async function startProcesses(stack: Stack, { variant = "ledger", workers = 3, apis = 0 }: Scenario) {
  const isNaive = variant === "naive";
  if (isNaive) await stack.postgres.query(withoutLedgerSql);
  const { fleet, role } = stack;
  const prefix = isNaive ? "naive-" : "";
  const port = String(stack.producerPort);
  await Promise.all([
    fleet.start("producer", role(`${prefix}producer`, { PORT: port })),
    ...(isNaive ? [] : [fleet.start("relay", role("relay"))]),
    ...count(workers).map((n) => fleet.start(`worker-${n}`, role(`${prefix}worker`))),
    ...count(apis).map((n) => fleet.start(`api-${n}`, stack.apiRole(n))),
  ]);
}

const count = (most: number) => Array.from({ length: most }, (_, n) => n + 1);

async function underFire(stack: Stack, scenario: Scenario): Promise<RunResult> {
  const { seed, jobs, windowMs, variant = "ledger", apis = 0, ordersPerSecond = 5 } = scenario;
  const random = createRandom(seed);
  const timeline = createTimeline();
  const url = `http://127.0.0.1:${stack.producerPort}/`;
  const load = startLoad({ url, random, jobs, windowMs, broken: variant === "ledger" ? 5 : 0 });
  const urls = count(apis).map((n) => stack.apiUrl(n));
  const { offerId } = stack.postgres;
  const guests = apis > 0 ? startGuests({ urls, offerId, perSecond: ordersPerSecond, run: load.run }) : undefined;
  const complaints: string[] = [];
  const notes: string[] = [];
  const watch = startWatch({ stack, variant, load, timeline, progress: scenario.progress });
  const complain = (sentence: string) => void complaints.push(sentence);
  const note = (sentence: string) => void notes.push(sentence);

  await Promise.all([scenario.attack({ stack, random, timeline, load, guests, complain, note }), load.done]);
  await guests?.close();
  const healedAt = Date.now();
  const limitMs = variant === "naive" ? naiveDrainMs : drainLimitMs;
  for (const end = healedAt + limitMs; !watch.isDrained() && Date.now() < end; ) await sleep(50);
  const drainMs = Date.now() - healedAt;
  const peak = await watch.stop();

  const verdict = await judge(stack, load.acknowledged, guests?.ordered ?? [], scenario.failing?.() ?? 0);
  const retries = variant === "ledger" ? await retryTwice(stack) : [];
  return {
    ...verdict,
    violations: [
      ...verdict.violations,
      ...retries,
      ...complaints,
      ...unanswered(load, guests),
      ...broken(stack, timeline),
      ...unbounded(peak),
    ],
    name: scenario.name,
    seed,
    variant,
    timeline,
    notes,
    drainMs,
    totalMs: 0,
    client: load.counts,
    answers: guests?.answers ?? {},
    processes: { ...stack.fleet.counts, peakRssMb: Math.round(peak.rssMb), peakFiles: peak.files },
  };
}

function unanswered({ begun, acknowledged, counts }: Load, guests: Guests | undefined) {
  const missing = begun() - acknowledged.size;
  const waiting = guests ? guests.sent() - guests.ordered.length : 0;
  const others = Object.entries(guests?.answers ?? {}).filter(([status]) => !["201", "503"].includes(status));
  return [
    ...(missing > 0 ? [`${missing} jobs were not promised, however often the client asked`] : []),
    ...(counts.errors > 0 ? [`${counts.errors} requests to the producer were answered 500`] : []),
    ...(waiting > 0 ? [`${waiting} guests got no 201, however often they asked`] : []),
    ...others.map(([status, times]) => `${times} orders were answered ${status}`),
  ];
}

function broken({ fleet }: Stack, { failures }: Timeline) {
  const deaths = fleet.deaths.filter(({ wasReady }) => wasReady);
  return [
    ...failures.map((failure) => `A fault could not be made to happen: ${failure}`),
    ...deaths.map(({ name, how, output }) => `${name} died by itself: ${how} ${output.slice(-500)}`),
  ];
}

const unbounded = ({ rssMb, files }: { rssMb: number; files: number }) => [
  ...(rssMb > largestRssMb ? [`A process took ${Math.round(rssMb)} MB`] : []),
  ...(files > mostFiles ? [`A process had ${files} open files`] : []),
];
