import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Identity, startIdentity } from "../../dev/identity/identity.ts";
import { type Mailbox, startMailbox } from "../../dev/mailbox/mailbox.ts";
import { freePort } from "../../dev/services/service.ts";
import { startWatchdog, type Watchdog } from "../../dev/services/watchdog.ts";
import type { Servers } from "./servers.ts";

/** A server of a row, and the settings by which processes reach it. */
export interface Part {
  env: Record<string, string>;
  /** Stops and starts it, or lets another one take its place; absent: it is not restarted. */
  restart?(): Promise<void>;
  stop(): Promise<unknown>;
}

/** What parts are made with. */
export interface Workshop {
  /** A folder for one part, which does not exist yet. */
  folder(name: string): string;
  /** Called with each process of a server before it is ready. */
  spawned(pid: number): void;
  spawnedDatabase(pid: number): void;
  mailbox: Mailbox;
}

const employee = { id: "11111111-1111-4111-8111-111111111111", email: "staff@shop.test" };
const admin = { id: "22222222-2222-4222-8222-222222222222", email: "admin@shop.test" };
const offer = {
  id: "33333333-3333-4333-8333-333333333333",
  brand: "ACME",
  manufacturer_number: "AC-100",
  price_rub: 1_500,
};
/** Customers who get newsletters. */
export const readers = 50;

export interface Installation {
  /** Settings of all processes. */
  env: Record<string, string>;
  parts: Part[];
  mailbox: Mailbox;
  tokens: { admin: string; employee: string };
  offer: typeof offer;
  /** A receiver of webhooks: its address, and the bodies that came. */
  hook: { url: string; received: string[] };
  migrate(): { code: number | null; output: string };
  /** Enters staff, readers and goods. */
  seed(): Promise<void>;
  /** Starts two APIs and two workers of all queues. */
  startProcesses(): Promise<void>;
  /** The next of the APIs, as clients reach it. */
  api(): string;
  /** Lines of the log at level error or above. */
  errors(): string[];
  stop(): Promise<string[]>;
}

/** Starts the servers of a row; processes are started later. */
export async function install(servers: Servers): Promise<Installation> {
  const directory = mkdtempSync(join(tmpdir(), "tcf-infra-"));
  // PostgreSQL runs as another user when this runs as root.
  chmodSync(directory, 0o755);
  const watchdog = startWatchdog([directory]);
  const watched = watchOver(watchdog);
  const mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
  const workshop: Workshop = {
    folder: (name) => join(directory, `${name}-${randomUUID().slice(0, 8)}`),
    spawned: watched.services,
    spawnedDatabase: watched.databases,
    mailbox,
  };
  const identity = await startIdentity({ port: 0, keyFile: join(directory, "identity.json") });
  const hook = await startHook();
  const parts: Part[] = [];
  const names = ["postgres", "redis", "s3", "smtp"] as const;
  for (const name of names) parts.push(await servers[name](workshop));
  const env: Record<string, string> = {
    ENVIRONMENT: "local",
    LOG_LEVEL: "warn",
    HOST: "127.0.0.1",
    OPS_PORT: "0",
    DATABASE_POOL_MAX: "5",
    BETTER_AUTH_URL: identity.url,
    WEBHOOK_ALLOW_PRIVATE: "true",
    RATE_LIMIT_ANONYMOUS: "0",
    RATE_LIMIT_ORDERS: "0",
    MAIL_LINK_SECRET: "infra-infra-infra-infra",
    DRAIN_TIMEOUT_MS: "5000",
    MAIL_GRACE_MS: "5000",
    ...Object.assign({}, ...parts.map((part) => part.env)),
  };
  const processes: Running[] = [];
  let turn = 0;
  let urls: string[] = [];
  let front: Awaited<ReturnType<NonNullable<Servers["front"]>>> | undefined;

  return {
    env,
    parts,
    mailbox,
    offer,
    hook,
    tokens: await tokensOf(identity),
    migrate() {
      const args = ["--import", "tsx", "src/db/migrate.ts"];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { env: own(env), encoding: "utf8" });
      return { code: status, output: stdout + stderr };
    },
    seed: () => seed(env),
    async startProcesses() {
      const ports = [await freePort(), await freePort()];
      urls = ports.map((port) => `http://127.0.0.1:${port}`);
      front = await servers.front?.(workshop, urls);
      if (front) urls = [front.url];
      const PUBLIC_URL = String(urls[0]);
      const apis = ports.map((port) => ({
        file: "src/api/main.ts",
        env: { PORT: String(port), PUBLIC_URL, ...front?.env },
      }));
      const workers = [1, 2].map(() => ({ file: "src/workers/main.ts", env: { PUBLIC_URL } }));
      for (const { file, env: more } of [...apis, ...workers]) processes.push(startProcess(file, { ...env, ...more }));
      watched.apps(processes.map(({ child }) => child.pid ?? 0));
      await Promise.all(processes.map(({ ready }) => ready));
    },
    api: () => String(urls[turn++ % urls.length]),
    errors: () => processes.flatMap(({ errors }) => errors),
    async stop() {
      const left = await Promise.all(processes.map(stopProcess));
      await front?.stop();
      for (const part of parts) await part.stop();
      await Promise.all([mailbox.stop(), identity.stop(), hook.stop()]);
      rmSync(directory, { recursive: true, force: true });
      await watchdog.release();
      return left.flat();
    },
  };
}

function watchOver(watchdog: Watchdog) {
  const pids = { apps: [] as number[], services: [] as number[], databases: [] as number[] };
  const add = (kind: keyof typeof pids) => (pid: number) => {
    pids[kind].push(pid);
    watchdog.watch(pids);
  };
  return {
    services: add("services"),
    databases: add("databases"),
    apps(all: number[]) {
      pids.apps = all;
      watchdog.watch(pids);
    },
  };
}

const own = (env: Record<string, string>) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...env });

interface Running {
  file: string;
  child: ChildProcess;
  ready: Promise<void>;
  errors: string[];
  /** All that was printed and is no line of JSON. */
  stray: string[];
}

function startProcess(file: string, env: Record<string, string>): Running {
  const args = ["--max-semi-space-size=4", "--import", "tsx", file];
  const child = spawn(process.execPath, args, { env: own(env), stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const [errors, stray]: string[][] = [[], []];
  const take = (line: string) => {
    if (!line.startsWith("{")) return void (line.trim() && stray?.push(line));
    if (JSON.parse(line).level >= 50) errors?.push(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    });
  }
  const ready = Promise.race([
    once(child, "message").then(() => undefined),
    once(child, "exit").then(([code]) => {
      throw new Error(`${file} ended with ${code}: ${[...(stray ?? []), ...(errors ?? [])].slice(-5).join(" ")}`);
    }),
  ]);
  ready.catch(() => undefined);
  return { file, child, ready, errors: errors ?? [], stray: stray ?? [] };
}

/** Sentences on what should not be: a wrong end, or output beside the log. */
async function stopProcess({ file, child, stray }: Running): Promise<string[]> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
    await ended;
    clearTimeout(timer);
  }
  return [
    ...(child.exitCode === 0 ? [] : [`${file} ended with ${child.exitCode ?? child.signalCode}`]),
    ...(stray.length === 0 ? [] : [`${file} printed beside its log: ${stray[0]}`]),
  ];
}

async function tokensOf({ sign }: Identity) {
  const hour = { expiresInSeconds: 3_600 };
  const token = ({ id, email }: typeof employee) => sign({ sub: id, email }, hour);
  return { employee: await token(employee), admin: await token(admin) };
}

async function seed({ DATABASE_DIRECT_URL, DATABASE_URL, EXTRA_CA_FILE }: Record<string, string>) {
  const url = new URL(String(DATABASE_DIRECT_URL ?? DATABASE_URL));
  // This process does not read the settings of the others.
  const ssl = EXTRA_CA_FILE && url.searchParams.has("sslmode") && { ca: readFileSync(EXTRA_CA_FILE) };
  url.searchParams.delete("sslmode");
  const client = new pg.Client({ connectionString: url.href, ...(ssl && { ssl }) });
  await client.connect();
  const [category, subCategory, product] = [randomUUID(), randomUUID(), randomUUID()];
  const staff = "INSERT INTO users (id, email, first_name, last_name, role) VALUES ($1, $2, 'A', 'B', $3)";
  await client.query(staff, [employee.id, employee.email, "EMPLOYEE"]);
  await client.query(staff, [admin.id, admin.email, "ADMIN"]);
  await client.query(
    `INSERT INTO users (id, email, first_name, last_name, mailing, customer_type)
     SELECT gen_random_uuid(), 'reader' || n || '@shop.test', 'A', 'B', true, 'USER_WHOLESALE'
     FROM generate_series(1, $1::int) n`,
    [readers],
  );
  await client.query("INSERT INTO categories (id, name, slug) VALUES ($1, 'Тормоза', 'tormoza')", [category]);
  await client.query("INSERT INTO sub_categories (id, category_id, name, slug) VALUES ($1, $2, 'К', 'k')", [
    subCategory,
    category,
  ]);
  await client.query("INSERT INTO products (id, sub_category_id, name, slug) VALUES ($1, $2, 'Колодка', 'kolodka')", [
    product,
    subCategory,
  ]);
  await client.query(
    `INSERT INTO offers (id, product_id, brand, manufacturer_number, price_rub, super_wholesale_price_rub, quantity)
     VALUES ($1, $2, $3, $4, $5, 1200, 100000)`,
    [offer.id, product, offer.brand, offer.manufacturer_number, offer.price_rub],
  );
  await client.end();
}

async function startHook() {
  const received: string[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      received.push(body);
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/events`,
    received,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
