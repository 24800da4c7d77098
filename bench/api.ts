import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { openCache } from "../src/platform/cache.ts";
import { createLogger } from "../src/platform/logger.ts";
import { type Load, loadOf, peakMb, type Server, startServer } from "./support/load.ts";
import { openShop, type Shop } from "./support/shop.ts";
import { machine, markdownTable, median } from "./support/statistics.ts";

export const summary =
  "the REST API over the full catalogue: cached and uncached lists, search [--rounds 3] [--seconds 4]";

/** Goals of this bench, explained in docs/benchmarks.md. */
const goals = { cached: 0.6, orm: 6, rows: 1.5, searchMs: 50, sitemapMb: 200, seenMs: 100 };

interface Options {
  rounds: number;
  seconds: number;
}

/**
 * Starts a shop with 22,700 offers and our API as a process of its own, measures it against servers that do the same
 * in other ways, and prints Markdown tables and whether the goals are reached. Takes about five minutes.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: "string" }, seconds: { type: "string" } } });
  const options = { rounds: Number(values.rounds ?? 3), seconds: Number(values.seconds ?? 4) };
  console.log("Compiling, starting Postgres and Redis, and entering the catalogue …");
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
  execFileSync("npx", ["--no", "tsc", "--", "-p", "bench/tsconfig.programs.json"], { stdio: "inherit" });
  const shop = await openShop();
  const servers: Server[] = [];
  const start: Start = async (file, env) => {
    const server = await startServer(file, env);
    servers.push(server);
    return server;
  };
  try {
    console.log(`${machine()}; medians of ${options.rounds} rounds of ${options.seconds} s\n`);
    const startApi = () => start(apiProgram, { ...apiEnvironment, ...environment(shop) });
    const api = await startApi();
    const good = [await cachedLists(api, start, options), await uncachedList(shop, start, options)];
    good.push(await searches(shop, start, options), await sitemap(await startApi()), await seenElsewhere(shop));
    console.log(good.every(Boolean) ? "\nAll goals are reached." : "\nNot all goals are reached.");
    if (!good.every(Boolean)) process.exitCode = 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await shop.close();
  }
}

/** Compiled as the images have it: a loader of TypeScript takes memory, and what it adds to functions takes time. */
const [apiProgram, bytesProgram, productsProgram] = [
  "dist/api/main.js",
  "var/bench/bench/support/bytes-server.js",
  "var/bench/bench/support/products-server.js",
] as const;

/** What our API needs besides the two addresses of the shop. */
const apiEnvironment = {
  ENVIRONMENT: "local",
  PORT: "0",
  OPS_PORT: "0",
  HOST: "127.0.0.1",
  S3_ENDPOINT_URL: "http://127.0.0.1:9",
  S3_BUCKET_NAME: "bench",
  S3_ACCESS_KEY: "bench",
  S3_SECRET_KEY: "bench",
  S3_PUBLIC_URL: "https://pictures.example/bench",
  BETTER_AUTH_URL: "http://127.0.0.1:9",
  // There is one, but the bench does not reach it.
  RATE_LIMIT_ANONYMOUS: "999999999",
  // Looking for the busiest shelf opens a connection for each.
  CONNECTIONS_PER_CLIENT: "0",
  DRAIN_TIMEOUT_MS: "0",
};

type Start = (file: string, env: Record<string, string>) => Promise<Server>;

const environment = ({ databaseUrl, redisUrl }: Shop) => ({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });

async function cachedLists(api: Server, start: Start, options: Options) {
  const slug = await busiestShelf(api);
  const rows: string[][] = [];
  const ratios: number[] = [];
  for (const path of ["/categories", "/sub-categories", `/products?sub_category_slug=${slug}`]) {
    const bytes = await start(bytesProgram, { BODY: api.url + path });
    const etag = (await fetch(api.url + path)).headers.get("etag") ?? "";
    const [limit, ours, hit] = await inTurn(options, [
      () => loadOf(bytes, "/", { connections: 32, seconds: options.seconds }),
      () => loadOf(api, path, { connections: 32, seconds: options.seconds }),
      () => loadOf(api, path, { connections: 32, seconds: options.seconds, headers: { "if-none-match": etag } }),
    ]);
    if (!limit || !ours || !hit) throw new Error("a measurement is missing");
    await bytes.stop();
    const name = path.replace(slug, "…");
    const line = (what: string, load: Measured) => {
      const [rate, cpu] = [ratio(load, limit, rateOf), ratio(limit, load, cpuOf)];
      rows.push([`${name}: ${what}`, ...figures(load), rate.toFixed(2), cpu.toFixed(2)]);
      return Math.min(rate, cpu);
    };
    line("node:http, bytes in memory", limit);
    ratios.push(line("this API, cached", ours), ratio(ours, hit, cpuOf));
    line("this API, 304", hit);
  }
  console.log(
    markdownTable(["cached lists, 32 connections", "requests/s", "p99 ms", "CPU µs each", "ratio", "by CPU"], rows),
  );
  const low = Math.min(...ratios.filter((_, index) => index % 2 === 0));
  const hits = Math.min(...ratios.filter((_, index) => index % 2 === 1));
  say(
    `cached lists: at least ${low.toFixed(2)} of node:http, by requests and by CPU`,
    low >= goals.cached,
    `goal ${goals.cached}`,
  );
  say(`a 304 costs ${(1 / hits).toFixed(2)} of the full answer`, hits >= 0.97, "goal: not more");
  return low >= goals.cached && hits >= 0.97;
}

async function busiestShelf(api: Server) {
  const facets = (await (await fetch(`${api.url}/sub-categories?size=500`)).json()) as { items: { slug: string }[] };
  const counts = await Promise.all(
    facets.items.map(async ({ slug }) => {
      const page = (await (await fetch(`${api.url}/products?size=1&sub_category_slug=${slug}`)).json()) as Page;
      return { slug, total: page.total };
    }),
  );
  return counts.sort((a, b) => b.total - a.total)[0]?.slug ?? "";
}

interface Page {
  total: number;
  items: unknown[];
}

async function uncachedList(shop: Shop, start: Start, options: Options) {
  const server = await start(productsProgram, environment(shop));
  await sameAnswers(server);
  const paths = { typeorm: "/typeorm", rows: "/rows", ours: "/products" };
  const { postgres } = shop;
  const measure = (path: string) => () => loadOf(server, path, { connections: 8, seconds: options.seconds, postgres });
  const [orm, rows, ours] = await inTurn(options, Object.values(paths).map(measure));
  if (!orm || !rows || !ours) throw new Error("a measurement is missing");
  const over = (load: Measured) => ({ rate: ratio(ours, load, rateOf), cpu: ratio(load, ours, cpuOf) });
  const line = (name: string, load: Measured) => {
    const { rate, cpu } = over(load);
    return [name, ...figures(load), load.postgresMicros.toFixed(0), rate.toFixed(2), cpu.toFixed(2)];
  };
  console.log(
    `\n${markdownTable(
      [
        ...["300 products, uncached, 8 connections", "requests/s", "p99 ms", "CPU µs each", "and of Postgres"],
        ...["ours is … times as fast", "and takes … times less CPU"],
      ],
      [
        line("TypeORM find with relations", orm),
        line("pg, joined rows, mapped by hand", rows),
        line("this API, flat rows and parents in memory", ours),
      ],
    )}`,
  );
  const judge = (name: string, load: Measured, goal: number) => {
    const { rate, cpu } = over(load);
    const isReached = Math.min(rate, cpu) >= goal;
    say(`${rate.toFixed(2)} × ${name}, ${cpu.toFixed(2)} × by CPU`, isReached, `goal ${goal}`);
    return isReached;
  };
  return [judge("TypeORM", orm, goals.orm), judge("joined rows", rows, goals.rows)].every(Boolean);
}

/** A contestant that does less work would win for nothing. */
async function sameAnswers({ url }: Server) {
  const [ours, ...others] = await Promise.all(
    ["/products", "/typeorm", "/rows"].map(async (path) => (await (await fetch(url + path)).json()) as Page),
  );
  for (const other of others) {
    if (JSON.stringify(sorted(other)) !== JSON.stringify(sorted(ours))) throw new Error("The answers differ");
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}

async function searches(shop: Shop, start: Start, options: Options) {
  const server = await start(productsProgram, environment(shop));
  const terms = searchTerms(shop);
  const rows: string[][] = [];
  let slowest = 0;
  for (const path of [
    "/offers/search/wildcard",
    "/offers/search/fts",
    "/products/search/wildcard",
    "/products/search/fts",
  ]) {
    const paths = terms.map((term) => `${path}?size=30&search_term=${encodeURIComponent(term)}`);
    const [load] = await inTurn(options, [
      () => loadOf(server, path, { connections: 8, seconds: options.seconds, paths }),
    ]);
    if (!load) throw new Error("a measurement is missing");
    rows.push([path, load.perSecond.toFixed(0), load.p50.toFixed(1), load.p95.toFixed(1), load.p99.toFixed(1)]);
    slowest = Math.max(slowest, load.p95);
  }
  const head = ["search over 22,700 offers, 8 clients, uncached", "requests/s", "p50 ms", "p95 ms", "p99 ms"];
  console.log(`\n${markdownTable(head, rows)}`);
  say(
    `p95 of the slowest search ${slowest.toFixed(1)} ms`,
    slowest < goals.searchMs,
    `goal below ${goals.searchMs} ms`,
  );
  return slowest < goals.searchMs;
}

/** What people type: a word of a name, the beginning of a number, a brand, a number with a mistake in it. */
function searchTerms({ catalogue: { products, offers } }: Shop) {
  const every = <T>(list: T[], step: number) => list.filter((_, index) => index % step === 0);
  const words = every(products, 173).map(({ name }) => name.split(" ").slice(0, 2).join(" "));
  const numbers = every(offers, 457).map(({ manufacturerNumber }) => manufacturerNumber.slice(0, 6));
  const brands = every(offers, 911).map(({ brand }) => brand);
  const mistakes = every(offers, 601).map(
    ({ manufacturerNumber: number }) => `${number.slice(0, 3)}0${number.slice(4)}`,
  );
  return [...words, ...numbers, ...brands, ...mistakes];
}

async function sitemap(api: Server) {
  const began = performance.now();
  const answer = (await (await fetch(`${api.url}/products?size=10000`)).json()) as Page;
  const ms = performance.now() - began;
  const mb = peakMb(api.pid);
  say(
    `/products?size=10000: ${answer.items.length} products in ${ms.toFixed(0)} ms, the highest memory of a fresh process ${mb.toFixed(0)} MB`,
    mb < goals.sitemapMb,
    `goal below ${goals.sitemapMb} MB`,
  );
  return mb < goals.sitemapMb;
}

/** How long another process goes on answering what a write has made stale. */
async function seenElsewhere({ redisUrl }: Shop) {
  const log = createLogger("silent", "bench");
  const [writer, reader] = [0, 1].map(() => openCache(redisUrl, { prefix: "bench-seen", log }));
  if (!writer || !reader) throw new Error("there are two caches");
  const times: number[] = [];
  for (let n = 0; n < 500; n++) {
    const kept = await reader.read("goods", "list", async () => n);
    const began = performance.now();
    void writer.invalidate("goods");
    while (kept.isFresh()) await new Promise((resolve) => setImmediate(resolve));
    times.push(performance.now() - began);
  }
  writer.close();
  reader.close();
  const slowest = Math.max(...times.slice(10));
  say(
    `a write is seen by another process after ${slowest.toFixed(1)} ms at most`,
    slowest < goals.seenMs,
    `goal ${goals.seenMs} ms`,
  );
  return slowest < goals.seenMs;
}

/** Each in turn, several times. */
async function inTurn({ rounds }: Options, measures: (() => Promise<Load>)[]): Promise<Measured[]> {
  const results: Load[][] = measures.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, measure] of measures.entries()) results[index]?.push(await measure());
  }
  return results.map((loads) => {
    const middle = (pick: (load: Load) => number) => median(loads.map(pick));
    return {
      perSecond: middle(({ perSecond }) => perSecond),
      p50: middle(({ p50 }) => p50),
      p95: middle(({ p95 }) => p95),
      p99: middle(({ p99 }) => p99),
      cpuMicros: middle(({ cpuMicros }) => cpuMicros),
      postgresMicros: middle(({ postgresMicros }) => postgresMicros),
      failed: 0,
      loads,
    };
  });
}

/** The figures in the middle of each, and all of them. */
interface Measured extends Load {
  loads: Load[];
}

/** How many times `a` is `b`: in the middle of the rounds, since what else the machine does changes from one to the next. */
function ratio(a: Measured, b: Measured, pick: (load: Load) => number) {
  return median(a.loads.map((load, round) => pick(load) / pick(b.loads[round] ?? load)));
}

const rateOf = ({ perSecond }: Load) => perSecond;
const cpuOf = ({ cpuMicros, postgresMicros }: Load) => cpuMicros + postgresMicros;

const figures = ({ perSecond, p99, cpuMicros }: Load) => [perSecond.toFixed(0), p99.toFixed(1), cpuMicros.toFixed(0)];

function say(what: string, isGood: boolean, goal: string) {
  console.log(`${isGood ? "ok " : "NO "} ${what} (${goal})`);
}
