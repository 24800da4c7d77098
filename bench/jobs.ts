import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { removePostgres, startPostgres } from "../dev/services/postgres.ts";
import { startRedis } from "../dev/services/redis.ts";
import { startWatchdog } from "../dev/services/watchdog.ts";
import { createDataSource } from "../src/db/data-source.ts";
import type { Order } from "./support/jobs/child.ts";
import { concurrency, pageSize, producers, type Servers } from "./support/jobs/contestant.ts";
import { watchProcess } from "./support/processes.ts";
import { machine, markdownTable, median } from "./support/statistics.ts";

export const summary = "no-op jobs, promised and run, against bare BullMQ and other queues [--rounds 3] [--jobs 10000]";

const goals = { latency: 1.3, p99Ms: 15, sustained: 0.35 };
const names = ["bare-bullmq", "ours", "graphile-worker", "pg-boss"] as const;
type Name = (typeof names)[number];
const titles: Record<Name, string> = {
  "bare-bullmq": "BullMQ alone (lost with Redis)",
  ours: "this back end",
  "graphile-worker": "graphile-worker, defaults",
  "pg-boss": "pg-boss, defaults",
};

/** They would take minutes for what the others do in seconds. */
const isSlow = (name: Name) => name === "graphile-worker" || name === "pg-boss";

/** Measures latency and throughput of no-op jobs; prints Markdown tables and whether the goals are reached. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: "string" }, jobs: { type: "string" }, only: { type: "string" } },
  });
  const options = { rounds: Number(values.rounds ?? 3), jobs: Number(values.jobs ?? 10_000) };
  const wanted = names.filter((name) => !values.only || values.only.split(",").includes(name));
  const { servers, pids, close } = await openServers();
  const teams = new Map<Name, Team>();
  try {
    console.log(
      `${machine()}; medians of ${options.rounds} rounds; ${producers} promises and ${concurrency} jobs at once\n`,
    );
    for (const name of wanted) teams.set(name, await openTeam(name, servers));
    const isGood = [await latencies(teams, options.rounds)];
    for (const isPaged of [false, true]) isGood.push(await floods(teams, { ...options, isPaged }, pids));
    console.log(isGood.every(Boolean) ? "\nAll goals are reached." : "\nNot all goals are reached.");
    if (!isGood.every(Boolean)) process.exitCode = 1;
  } finally {
    for (const { producer, worker } of teams.values()) for (const child of [producer, worker]) child.kill("SIGKILL");
    await close();
  }
}

async function openServers() {
  const directory = mkdtempSync(join(tmpdir(), "tcf-bench-"));
  chmodSync(directory, 0o755);
  const dataDirectory = join(directory, "postgres");
  const watchdog = startWatchdog([directory]);
  const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDirectory, password: "bench" }),
    startRedis({ dataDirectory: join(directory, "redis"), binaryDirectory, password: "bench" }),
  ]);
  watchdog.watch({ databases: [postgres.pid], services: [redis.pid] });
  const db = await createDataSource(postgres.url, 2, {}).initialize();
  await db.runMigrations();
  await db.destroy();
  return {
    servers: { databaseUrl: postgres.url, redisUrl: redis.url },
    pids: { redis: redis.pid },
    async close() {
      await Promise.all([postgres.stop(), redis.stop()]);
      removePostgres(dataDirectory);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
    },
  };
}

interface Team {
  producer: ChildProcess;
  worker: ChildProcess;
  next: number;
}

async function openTeam(name: Name, servers: Servers): Promise<Team> {
  await once(startChild(name, "prepare", servers), "exit");
  const [producer, worker] = [startChild(name, "producer", servers), startChild(name, "worker", servers)];
  await Promise.all([hear(producer, "ready"), hear(worker, "ready")]);
  return { producer, worker, next: 0 };
}

function startChild(name: Name, role: string, { databaseUrl, redisUrl }: Servers) {
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, ["--import", "tsx", "bench/support/jobs/child.ts", name, role], {
    env: { PATH, HOME, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

type Heard = Record<string, unknown> & { cpu?: NodeJS.CpuUsage };

async function hear(child: ChildProcess, key: string): Promise<Heard> {
  for await (const [message] of on(child, "message", { signal: AbortSignal.timeout(180_000) })) {
    if (key in (message as object)) return message as Heard;
  }
  throw new Error(`Nothing was heard of '${key}'`);
}

const say = (child: ChildProcess, order: Order) => void child.send(order);

async function prepareToCount({ worker }: Team, count: number) {
  const counting = hear(worker, "counting");
  say(worker, { do: "count", count });
  await counting;
  return hear(worker, "done");
}

const perRound = 150;

async function latencies(teams: Map<Name, Team>, rounds: number) {
  const waits = new Map<Name, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, team] of teams) {
      const done = prepareToCount(team, perRound);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const added = hear(team.producer, "added");
      say(team.producer, { do: "one by one", from: team.next, count: perRound });
      team.next += perRound;
      const starts = new Map((await done).starts as [number, number][]);
      const times = (await added).added as [number, number, number][];
      // From the call for BullMQ alone; for what commits, from the moment the commit was answered.
      const waited = times.map(([n, began, ended]) => Number(starts.get(n)) - (name === "bare-bullmq" ? began : ended));
      waits.set(name, [...(waits.get(name) ?? []), ...waited]);
    }
  }
  const at = (name: Name, part: number) =>
    (waits.get(name) ?? []).sort((a, b) => a - b)[Math.floor((waits.get(name)?.length ?? 0) * part)] ?? Number.NaN;
  const rows = [...teams.keys()].map((name) => [
    titles[name],
    at(name, 0.5).toFixed(2),
    at(name, 0.95).toFixed(2),
    at(name, 0.99).toFixed(2),
    (at(name, 0.5) / at("bare-bullmq", 0.5)).toFixed(2),
  ]);
  console.log(markdownTable(["promise to start, idle", "p50 ms", "p95 ms", "p99 ms", "ratio (p50)"], rows));
  const ratio = at("ours", 0.5) / at("bare-bullmq", 0.5);
  return [
    verdict(
      ratio <= goals.latency,
      `promise to start takes ${ratio.toFixed(2)} × what BullMQ takes alone (goal ${goals.latency})`,
    ),
    verdict(
      at("ours", 0.99) <= goals.p99Ms,
      `99 of 100 start within ${at("ours", 0.99).toFixed(1)} ms (goal ${goals.p99Ms} ms)`,
    ),
  ].every(Boolean);
}

async function floods(
  teams: Map<Name, Team>,
  { rounds, jobs: most, isPaged }: { rounds: number; jobs: number; isPaged: boolean },
  pids: { redis: number },
) {
  const rates = new Map<Name, number[]>();
  const costs = new Map<Name, number[][]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, team] of teams) {
      const jobs = isSlow(name) ? most / 10 : most;
      const done = prepareToCount(team, jobs);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const uses = [team.producer.pid, team.worker.pid, pids.redis].map((pid) => watchProcess(() => pid));
      const flood = hear(team.producer, "began");
      say(team.producer, { do: "flood", from: team.next, count: jobs, isPaged });
      team.next += jobs;
      const ended = Number((await done).done);
      const began = Number((await flood).began);
      rates.set(name, [...(rates.get(name) ?? []), (jobs / (ended - began)) * 1_000]);
      costs.set(name, [...(costs.get(name) ?? []), uses.map((use) => (use.stop().cpuSeconds / jobs) * 1e6)]);
    }
  }
  const rate = (name: Name) => median(rates.get(name) ?? []);
  const ratios = (name: Name) =>
    median((rates.get(name) ?? []).map((value, round) => value / Number(rates.get("bare-bullmq")?.[round])));
  const cost = (name: Name, which: number) => median((costs.get(name) ?? []).map((all) => all[which] ?? 0)).toFixed(0);
  const rows = [...teams.keys()].map((name) => [
    titles[name],
    rate(name).toFixed(0),
    ratios(name).toFixed(2),
    cost(name, 0),
    cost(name, 1),
    cost(name, 2),
  ]);
  const head = [
    `${most} jobs, promised ${isPaged ? `${pageSize} at a time` : "one by one"}`,
    "jobs/s",
    "ratio",
    "CPU µs each: producer",
    "worker",
    "Redis",
  ];
  console.log(`\n${markdownTable(head, rows)}`);
  const others = names.filter((name) => teams.has(name) && !["ours", "bare-bullmq"].includes(name));
  return [
    verdict(
      ratios("ours") >= goals.sustained,
      `${ratios("ours").toFixed(2)} of BullMQ alone (goal ${goals.sustained})`,
    ),
    ...others.map((name) =>
      verdict(
        rate("ours") > rate(name),
        `${(rate("ours") / rate(name)).toFixed(1)} × ${titles[name]} (goal: ahead of it)`,
      ),
    ),
  ].every(Boolean);
}

function verdict(isReached: boolean, text: string) {
  console.log(`- ${isReached ? "reached" : "**missed**"}: ${text}`);
  return isReached;
}
