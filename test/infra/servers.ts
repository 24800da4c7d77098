import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createS3Server } from "../../dev/s3/server.ts";
import { startPgbouncer } from "../../dev/services/pgbouncer.ts";
import { startPostgres } from "../../dev/services/postgres.ts";
import { startRedis } from "../../dev/services/redis.ts";
import { startNginxWith } from "../support/nginx.ts";
import { startPostfix } from "../support/postfix.ts";
import { startCluster, startSentinelGroup } from "../support/redis-groups.ts";
import { startS3rver } from "../support/s3-stores.ts";
import { createAuthority } from "../support/tls.ts";
import { startTlsPostgres, startTlsRedis } from "../support/tls-servers.ts";
import type { Part, Workshop } from "./installation.ts";

type Start = (workshop: Workshop) => Promise<Part>;

/** The servers of one row. */
export interface Servers {
  postgres: Start;
  redis: Start;
  s3: Start;
  smtp: Start;
  /** A proxy in front of the APIs. */
  front?: (
    workshop: Workshop,
    apis: readonly string[],
  ) => Promise<{ url: string; env: Record<string, string>; stop(): Promise<unknown> }>;
}

export interface Row {
  name: string;
  servers: Servers;
  /** Programs that have to be installed; without one the row is untried. */
  needs: readonly string[];
  /** Among those that are tried with each change. */
  isQuick?: boolean;
}

const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
const password = "infra-only-here";

/** PostgreSQL of npm's package, or of a folder with programs. */
const postgres =
  (programs?: string): Start =>
  async ({ folder, spawnedDatabase }) => {
    const options = {
      dataDirectory: folder("postgres"),
      password,
      spawned: spawnedDatabase,
      ...(programs && { programs }),
    };
    let running = await startPostgres(options);
    const port = Number(new URL(running.url).port);
    return {
      env: { DATABASE_URL: running.url },
      async restart() {
        await running.stop();
        running = await startPostgres({ ...options, port });
      },
      stop: () => running.stop(),
    };
  };

const debian15 = "/usr/lib/postgresql/15";

/** PgBouncer in transaction mode before another Postgres; migrations go around it. */
const pooled =
  (inner: Start): Start =>
  async (workshop) => {
    const server = await inner(workshop);
    const direct = String(server.env.DATABASE_URL);
    const options = { folder: workshop.folder("pgbouncer"), server: direct, spawned: workshop.spawned };
    let pooler = await startPgbouncer(options);
    const { port } = new URL(pooler.url);
    return {
      env: {
        DATABASE_URL: Object.assign(new URL(direct), { port }).href,
        DATABASE_DIRECT_URL: direct,
        DATABASE_POOLER: "transaction",
      },
      async restart() {
        await server.restart?.();
        await pooler.stop();
        pooler = await startPgbouncer({ ...options, port: Number(port) });
      },
      async stop() {
        await pooler.stop();
        await server.stop();
      },
    };
  };

/** Postgres and Redis with certificates of a private authority. */
const authorityOf = (workshop: Workshop) => createAuthority(workshop.folder("authority"));

const tlsPostgres: Start = async (workshop) => {
  const authority = authorityOf(workshop);
  const { url, stop } = await startTlsPostgres(workshop.folder("postgres"), authority.issue());
  return { env: { DATABASE_URL: `${url}?sslmode=verify-full`, EXTRA_CA_FILE: authority.file }, stop: () => stop() };
};

const tlsRedis: Start = async (workshop) => {
  const authority = authorityOf(workshop);
  const { url, stop } = await startTlsRedis(workshop.folder("redis"), authority.issue());
  return { env: { REDIS_URL: url, EXTRA_CA_FILE: authority.file }, stop };
};

const oneRedis: Start = async ({ folder, spawned }) => {
  const options = { dataDirectory: folder("redis"), binaryDirectory, password, spawned };
  let running = await startRedis(options);
  const port = Number(new URL(running.url).port);
  return {
    env: { REDIS_URL: running.url },
    async restart() {
      await running.stop();
      running = await startRedis({ ...options, port });
    },
    stop: () => running.stop(),
  };
};

/** Sentinels or a cluster: its master is killed instead of restarted. */
const group =
  (start: typeof startCluster): Start =>
  async ({ folder, spawned }) => {
    const running = await start({ directory: folder("redis"), binaryDirectory, password, spawned });
    return {
      env: running.env,
      async restart() {
        await running.failOver("{jobs:mail}:mail:meta");
        await running.revive();
      },
      stop: running.stop,
    };
  };

/** The S3 server of `npm start`. */
const ownS3: Start = async ({ folder }) => {
  const directory = folder("s3");
  mkdirSync(directory, { recursive: true });
  const [bucket, accessKey, secretKey] = ["shop", "infra", "infra-only-here"];
  const credentials = { [accessKey]: secretKey };
  const server = createS3Server({ directory, credentials, buckets: [bucket], publicPrefixes: [`${bucket}/images/`] });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      S3_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      S3_BUCKET_NAME: bucket,
      S3_ACCESS_KEY: accessKey,
      S3_SECRET_KEY: secretKey,
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};

const s3rver: Start = async ({ folder }) => {
  const { port, bucket, accessKeyId, secretAccessKey, stop } = await startS3rver(folder("s3"));
  return {
    env: {
      S3_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      S3_BUCKET_NAME: bucket,
      S3_ACCESS_KEY: accessKeyId,
      S3_SECRET_KEY: secretAccessKey,
    },
    stop,
  };
};

const ownMailbox: Start = async ({ mailbox }) => {
  const { hostname, port } = new URL(mailbox.smtpUrl);
  return {
    env: { SMTP_HOST: hostname, SMTP_PORT: port, SMTP_SECURITY: "none", MAIL_PROBE_URL: mailbox.pageUrl },
    stop: async () => undefined,
  };
};

/** Postfix that takes mail by STARTTLS after a login, and hands it on to the mailbox. */
const postfix: Start = async (workshop) => {
  const authority = authorityOf(workshop);
  const login = { user: "shop", pass: password };
  const { ports, stop } = await startPostfix({
    services: { submission: {} },
    settings: { default_transport: `smtp:[127.0.0.1]:${new URL(workshop.mailbox.smtpUrl).port}` },
    certificate: authority.issue(),
    login,
  });
  return {
    env: {
      SMTP_HOST: "127.0.0.1",
      SMTP_PORT: String(ports.submission),
      SMTP_SECURITY: "starttls",
      SMTP_USER: login.user,
      SMTP_PASS: login.pass,
      EXTRA_CA_FILE: authority.file,
    },
    stop,
  };
};

/** nginx with the text of docs/operations/front-proxy.md: the APIs are below a path, which is taken away. */
const nginx: NonNullable<Servers["front"]> = async (_workshop, apis) => {
  const page = readFileSync("docs/operations/front-proxy.md", "utf8");
  const text = /```nginx\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const upstream = apis.map((api) => `server ${new URL(api).host};`).join(" ");
  const { url, stop } = await startNginxWith((port) =>
    text.replace("server 127.0.0.1:8080;", upstream).replace(/listen 80;.*/, `listen 127.0.0.1:${port};`),
  );
  return { url: `${url}/back`, env: { TRUST_PROXY: "1" }, stop };
};

const usual: Servers = { postgres: postgres(), redis: oneRedis, s3: ownS3, smtp: ownMailbox };

/** What is tried, a row each. */
export const rows: readonly Row[] = [
  { name: "PostgreSQL 18, Redis, own S3 and mailbox", servers: usual, needs: [] },
  { name: "PostgreSQL 15", servers: { ...usual, postgres: postgres(debian15) }, needs: [debian15] },
  {
    name: "PostgreSQL 15 behind PgBouncer",
    servers: { ...usual, postgres: pooled(postgres(debian15)) },
    needs: [debian15, "pgbouncer"],
    isQuick: true,
  },
  {
    name: "PostgreSQL with TLS by a private authority",
    servers: { ...usual, postgres: tlsPostgres },
    needs: ["openssl"],
  },
  {
    name: "Redis with TLS by a private authority",
    servers: { ...usual, redis: tlsRedis },
    needs: ["openssl", "redis-server"],
  },
  { name: "Redis Sentinel", servers: { ...usual, redis: group(startSentinelGroup) }, needs: [] },
  { name: "Redis Cluster", servers: { ...usual, redis: group(startCluster) }, needs: [], isQuick: true },
  { name: "s3rver", servers: { ...usual, s3: s3rver }, needs: [] },
  { name: "Postfix by STARTTLS", servers: { ...usual, smtp: postfix }, needs: ["openssl", "postconf"] },
  {
    name: "PgBouncer, Sentinel, s3rver, Postfix and nginx at once",
    servers: {
      postgres: pooled(postgres(debian15)),
      redis: group(startSentinelGroup),
      s3: s3rver,
      smtp: postfix,
      front: nginx,
    },
    needs: [debian15, "pgbouncer", "openssl", "postconf", "nginx"],
  },
  { name: "nginx with a path in front", servers: { ...usual, front: nginx }, needs: ["nginx"] },
];

/** What of the row's programs is not installed here. */
export function lackOf({ needs }: Row): string[] {
  return needs.filter((need) => {
    const program = need.startsWith("/") ? `${need}/bin/postgres` : need;
    const env = { PATH: `${process.env.PATH}:/usr/sbin` };
    return spawnSync(program, ["--version"], { env }).error !== undefined;
  });
}

/** Debian's packages of the programs, where the names differ. */
const packages: Readonly<Record<string, string>> = {
  [debian15]: "postgresql-15",
  nginx: "nginx-light",
  postconf: "postfix",
};

/** Installs what rows lack, by apt-get and with sudo unless this is root; what has no package stays untried. */
export function installPrograms(wanted: readonly Row[]): void {
  const apt = process.getuid?.() === 0 ? ["apt-get"] : ["sudo", "apt-get"];
  const [program = "", ...first] = apt;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...args: string[]) =>
    spawnSync(program, [...first, ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
  const missing = new Set(wanted.flatMap(lackOf).map((need) => packages[need] ?? need));
  if (missing.size > 0) run("update", "-q");
  for (const name of missing) run("install", "-y", "--no-install-recommends", name);
}
