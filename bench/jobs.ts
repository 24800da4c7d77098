import { execFileSync, spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { concurrency, pageSize, producers, type Servers } from "./support/jobs/contestant.ts";
import { type BenchServers, openServers } from "./support/jobs/servers.ts";
import { type Costs, hear, openTeam, startProgram, type Team } from "./support/jobs/team.ts";
import { machine, markdownTable, median } from "./support/statistics.ts";

export const summary =
  "no-op jobs, promised and run, against bare BullMQ and other queues [--rounds 5] [--jobs 10000] [--ledger 1000000]";

/** Goals of this bench, explained in docs/benchmarks.md. */
const goals = { latency: 1.3, p99Ms: 15, pollMs: 260, sustained: 0.35, relay: 0.8, ledger: 0.1, runtime: 1.15 };

/** In the order in which they take turns; ours next to what it is compared with. */
const titles = {
  bare: "BullMQ alone (lost with Redis)",
  ours: "this back end",
  million: "this back end, full ledger",
  "dual-write": "BullMQ and a row, by hand (can be lost)",
  "graphile-worker": "graphile-worker, defaults",
  "pg-boss": "pg-boss",
  "bullmq-postgres": "BullMQ on Postgres",
  celery: "Celery, late acknowledgements",
};
type Name = keyof typeof titles;

const programs: Partial<Record<Name, string>> = { bare: "bare-bullmq", million: "ours" };

const onlyOneByOne: ReadonlySet<Name> = new Set(["celery", "dual-write"]);

/** They would take minutes for what the others do in seconds. */
const shareOf = (name: Name) => (["bare", "ours", "million", "dual-write"].includes(name) ? 1 : 0.1);

interface Options {
  rounds: number;
  jobs: number;
  ledger: number;
}

type Teams = Map<Name, Team>;

/** Measures latency, throughput and CPU of no-op jobs; prints Markdown tables and whether the goals are reached. */
export async function run(args: string[]): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ args, options: { rounds: text, jobs: text, ledger: text, only: text, parts: text } });
  const options = {
    rounds: Number(values.rounds ?? 5),
    jobs: Number(values.jobs ?? 10_000),
    ledger: Number(values.ledger ?? 1_000_000),
  };
  const isAsked = (list: string | undefined, name: string) => !list || list.split(",").includes(name);
  const isWanted = (part: string) => isAsked(values.parts, part);
  const names = (Object.keys(titles) as Name[]).filter((name) => isAsked(values.only, name) && isInstalled(name));

  console.log("Compiling, starting Postgres and Redis, and filling a ledger …");
  execFileSync("npx", ["--no", "tsc", "--", "-p", "bench/tsconfig.programs.json"], { stdio: "inherit" });
  const servers = await openServers();
  const teams: Teams = new Map();
  try {
    const databases = await openDatabases(servers, names, options);
    console.log(
      `${machine()}; medians of ${options.rounds} rounds; ${producers} promises and ${concurrency} jobs at once\n`,
    );
    const good: boolean[] = [];
    if (isWanted("runtime")) good.push(await runtime(databases, options));
    if (isWanted("relay")) good.push(await relay(databases, options));
    for (const name of names) {
      teams.set(name, await openTeam(programs[name] ?? name, databases(name), servers.pids));
    }
    if (isWanted("latency")) good.push(await latencies(teams, options));
    if (isWanted("flood")) for (const way of ["one", "page"] as const) good.push(await floods(teams, way, options));
    console.log(good.every(Boolean) ? "\nAll goals are reached." : "\nNot all goals are reached.");
    if (!good.every(Boolean)) process.exitCode = 1;
  } finally {
    await Promise.all([...teams.values()].map((team) => team.stop()));
    await servers.close();
  }
}

function isInstalled(name: Name) {
  if (name !== "celery" || spawnSync("/usr/bin/python3", ["-c", "import celery, redis"]).status === 0) return true;
  console.log("Celery is left out: Debian's packages `celery` and `python3-redis` are not installed.");
  return false;
}

/** All in one Postgres; the one with the full ledger only where something is measured on it. */
async function openDatabases(servers: BenchServers, names: readonly Name[], { ledger }: Options) {
  const usual = await servers.database("bench");
  const full = names.includes("million") ? await servers.database("bench_million", ledger) : usual;
  return (name: Name): Servers => (name === "million" ? full : usual);
}

type Databases = Awaited<ReturnType<typeof openDatabases>>;

async function resultsOf<Result>(program: string, args: number[], servers: Servers) {
  const child = startProgram(program, args.map(String), servers);
  return (await hear(child, "results")).results as Result[];
}

async function runtime(databases: Databases, { rounds, jobs }: Options) {
  const results = await resultsOf<{ ours: number; bare: number }>("runtime", [jobs, rounds], databases("bare"));
  const ratio = median(results.map(({ ours, bare }) => ours / bare));
  const middle = (pick: (one: { ours: number; bare: number }) => number) => median(results.map(pick)).toFixed(0);
  const head = ["a worker without its database", "CPU µs each", "ratio"];
  const rows = [
    ["BullMQ's Worker alone", middle(({ bare }) => bare), "1.00"],
    ["with this back end's runtime", middle(({ ours }) => ours), ratio.toFixed(2)],
  ];
  console.log(markdownTable(head, rows));
  return verdict(ratio <= goals.runtime, `${ratio.toFixed(2)} × the CPU of BullMQ's Worker (goal ${goals.runtime})`);
}

interface Relayed {
  relay: number;
  addBulk: number;
  relayCpu: number;
  addBulkCpu: number;
}

async function relay(databases: Databases, { rounds }: Options) {
  const count = 20_000;
  const measure = async (name: Name) => {
    const results = await resultsOf<Relayed>("relay", [count, rounds], databases(name));
    return { results, ratio: median(results.map((one) => one.addBulk / one.relay)) };
  };
  const [small, full] = [await measure("ours"), await measure("million")];
  const row = (title: string, results: Relayed[], ms: keyof Relayed, cpu: keyof Relayed, ratio: number) => {
    const middle = (key: keyof Relayed) => median(results.map((one) => one[key]));
    return [title, ((count / middle(ms)) * 1_000).toFixed(0), middle(cpu).toFixed(0), ratio.toFixed(2)];
  };
  console.log(
    `\n${markdownTable(
      [`${count} jobs on the outbox`, "jobs/s", "CPU µs each: relay", "ratio"],
      [
        row("addBulk of 500, no Postgres", small.results, "addBulk", "addBulkCpu", 1),
        row("this relay", small.results, "relay", "relayCpu", small.ratio),
        row("this relay, full ledger", full.results, "relay", "relayCpu", full.ratio),
      ],
    )}`,
  );
  const change = full.ratio / small.ratio - 1;
  return [
    verdict(small.ratio >= goals.relay, `the relay is ${small.ratio.toFixed(2)} of addBulk (goal ${goals.relay})`),
    ledgerVerdict(change, "the relay's rate"),
  ].every(Boolean);
}

const perRound = 70;

async function latencies(teams: Teams, { rounds }: Options) {
  const waits = new Map<string, number[]>();
  const add = (title: string, more: number[]) => waits.set(title, [...(waits.get(title) ?? []), ...more]);
  const unkicked = "this back end, kick lost";
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, team] of teams) {
      const waited = await team.waits(perRound);
      if (round > 0) add(titles[name], waited);
      if (name === "ours" && round > 0) add(unkicked, await team.waits(perRound, "unkicked"));
    }
  }
  const at = (title: string, part: number) => {
    const sorted = (waits.get(title) ?? []).toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  };
  const rows = [...waits.keys()].map((title) => [
    title,
    ...[0.5, 0.95, 0.99].map((part) => at(title, part).toFixed(2)),
    (at(title, 0.5) / at(titles.bare, 0.5)).toFixed(2),
  ]);
  const count = rounds * perRound;
  console.log(
    `\n${markdownTable([`promise to start, idle, ${count} each`, "p50 ms", "p95 ms", "p99 ms", "ratio (p50)"], rows)}`,
  );
  const ratio = at(titles.ours, 0.5) / at(titles.bare, 0.5);
  const p99 = at(titles.ours, 0.99);
  const good = [
    verdict(
      ratio <= goals.latency,
      `promise to start is ${ratio.toFixed(2)} × BullMQ's add to start (goal ${goals.latency})`,
    ),
    verdict(p99 <= goals.p99Ms, `99 of 100 start within ${p99.toFixed(1)} ms (goal ${goals.p99Ms} ms)`),
    verdict(
      at(unkicked, 0.99) <= goals.pollMs,
      `99 of 100 within ${at(unkicked, 0.99).toFixed(0)} ms when only a sweep finds them (goal ${goals.pollMs} ms)`,
    ),
  ];
  if (teams.has("million")) good.push(ledgerVerdict(at(titles.million, 0.5) / at(titles.ours, 0.5) - 1, "the p50"));
  return good.every(Boolean);
}

interface Flood {
  perSecond: number;
  costs: Costs;
}

async function floods(teams: Teams, way: "one" | "page", { rounds, jobs }: Options) {
  const results = new Map<Name, Flood[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, team] of teams) {
      if (onlyOneByOne.has(name) && way === "page") continue;
      results.set(name, [...(results.get(name) ?? []), await team.flood(jobs * shareOf(name), way)]);
    }
  }
  const rateOf = (name: Name, round: number) => results.get(name)?.[round]?.perSecond ?? Number.NaN;
  const ratio = (name: Name, other: Name) =>
    median((results.get(name) ?? []).map((_, round) => rateOf(name, round) / rateOf(other, round)));
  printFloods(results, way, { jobs, ratio });
  const sustained = ratio("ours", "bare");
  const others = [...results.keys()].filter((name) => name !== "bare" && name !== "ours");
  return [
    verdict(sustained >= goals.sustained, `${sustained.toFixed(2)} of BullMQ alone (goal ${goals.sustained})`),
    ...others.map((name) => compared(name, ratio("ours", name))),
  ].every(Boolean);
}

function compared(name: Name, times: number) {
  if (name === "million") return ledgerVerdict(1 / times - 1, "jobs/s");
  const text = `${times.toFixed(1)} × ${titles[name]}`;
  if (name !== "dual-write") return verdict(times > 1, `${text} (goal: ahead of it)`);
  // The cost of a row for any contestant, and not a rival: it loses jobs.
  console.log(`- ${text} (no goal)`);
  return true;
}

function printFloods(
  results: Map<Name, Flood[]>,
  way: "one" | "page",
  { jobs, ratio }: { jobs: number; ratio: (name: Name, other: Name) => number },
) {
  const rows = [...results].map(([name, all]) => {
    const cost = (who: keyof Costs) => median(all.map(({ costs }) => costs[who])).toFixed(0);
    const costs = [cost("producer"), cost("worker"), cost("postgres"), cost("redis")];
    const perSecond = median(all.map((one) => one.perSecond)).toFixed(0);
    return [titles[name], perSecond, ratio(name, "bare").toFixed(2), ...costs];
  });
  const what = way === "page" ? `${pageSize} at a time` : "one by one";
  console.log(
    `\n${markdownTable(
      [`${jobs} jobs, promised ${what}`, "jobs/s", "ratio", "CPU µs each: producer", "worker", "Postgres", "Redis"],
      rows,
    )}`,
  );
}

function ledgerVerdict(change: number, what: string) {
  const percent = `${change >= 0 ? "+" : ""}${(100 * change).toFixed(0)} %`;
  return verdict(
    Math.abs(change) <= goals.ledger,
    `a full ledger changes ${what} by ${percent} (goal ${100 * goals.ledger} %)`,
  );
}

function verdict(isReached: boolean, text: string) {
  console.log(`- ${isReached ? "reached" : "**missed**"}: ${text}`);
  return isReached;
}
