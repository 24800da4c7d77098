import { join } from "node:path";
import { demoUsers } from "../demo/users.ts";
import type { Identity as OwnIdentity } from "../identity/identity.ts";
import { startPostgres } from "../services/postgres.ts";
import { startRedis } from "../services/redis.ts";
import { step } from "./console.ts";
import { bareEnvironment } from "./environment.ts";
import { type Bucket, type GivenServers, withoutPassword } from "./given-servers.ts";
import { startNode, typescriptArguments } from "./node-process.ts";
import { paths, root } from "./paths.ts";
import type { Ports } from "./ports.ts";
import type { Secrets } from "./secrets.ts";
import type { Supervisor } from "./supervisor.ts";

export interface Smtp {
  host: string;
  port: number;
  /** The page that shows the mails, if they stay here. */
  mailbox?: string;
}

export interface Identity {
  url: string;
  /** Absent with an issuer that is not ours. */
  sign?: OwnIdentity["sign"];
}

/** The emulator of the card provider. */
export interface CardService {
  apiUrl: string;
  shopId: string;
  secretKey: string;
  /** Shows the payments; customers come back to it, unless a front end is named. */
  pageUrl: string;
}

export interface ServerOptions {
  given: GivenServers;
  ports: Ports;
  apiPort: number;
  secrets: Secrets;
  supervisor: Supervisor;
}

const bucketName = "tcf";
const shopId = "100500";

/** Begins to start every server that is not given; each promise settles when that one is ready. */
export function startServers(options: ServerOptions) {
  const servers = {
    databaseUrl: postgres(options),
    redisUrl: redis(options),
    s3: s3(options),
    smtp: smtp(options),
    identity: identity(options),
    cards: cards(options),
  };
  // Each is awaited later; until then a failure must not count as unhandled.
  for (const server of Object.values(servers)) server.catch(() => {});
  return servers;
}

async function postgres({ given, ports, secrets, supervisor }: ServerOptions): Promise<string> {
  if (given.databaseUrl) return theirs("PostgreSQL", given.databaseUrl, "DATABASE_URL");
  const options = { dataDirectory: paths.postgres, port: ports.postgres, password: secrets.databasePassword };
  const { url, how } = await supervisor.keep("postgres", "databases", (hooks) =>
    startPostgres({ ...options, ...hooks }),
  );
  step(`PostgreSQL is ready: ${how}`);
  return url;
}

/** Its URL; undefined: API and workers read variables of the person's own. */
async function redis({ given, ports, secrets, supervisor }: ServerOptions): Promise<string | undefined> {
  if (given.redis?.variable === "REDIS_URL") return theirs("Redis", given.redis.value, "REDIS_URL");
  if (given.redis) {
    step(`Redis: yours at ${given.redis.value} (${given.redis.variable})`);
    return undefined;
  }
  const options = {
    dataDirectory: paths.redis,
    binaryDirectory: paths.redisBinary,
    port: ports.redis,
    password: secrets.redisPassword,
  };
  const { url, how } = await supervisor.keep("redis", "services", (hooks) => startRedis({ ...options, ...hooks }));
  step(`Redis is ready: ${how}`);
  return url;
}

async function s3({ given, ports, secrets, supervisor }: ServerOptions): Promise<Bucket> {
  if (given.s3) {
    theirs("S3", given.s3.endpoint, "S3_ENDPOINT_URL");
    return given.s3;
  }
  const env = bareEnvironment({
    S3_DIRECTORY: paths.s3,
    PORT: String(ports.s3),
    S3_ACCESS_KEY: secrets.s3AccessKey,
    S3_SECRET_KEY: secrets.s3SecretKey,
    S3_BUCKET_NAME: bucketName,
    S3_PUBLIC_PREFIXES: "images/, tmp/price_list_",
  });
  const file = join(root, "dev/s3/main.ts");
  await supervisor.keep("s3", "services", (hooks) => startNode(file, env, hooks, typescriptArguments));
  step("S3 is ready");
  const endpoint = `http://127.0.0.1:${ports.s3}`;
  const keys = { accessKey: secrets.s3AccessKey, secretKey: secrets.s3SecretKey };
  return { endpoint, bucket: bucketName, ...keys, publicUrl: `${endpoint}/${bucketName}` };
}

async function smtp({ given, ports, supervisor }: ServerOptions): Promise<Smtp> {
  if (given.smtp) {
    theirs("SMTP", `smtp://${given.smtp.host}:${given.smtp.port}`, "SMTP_HOST");
    return given.smtp;
  }
  const { startMailbox } = await import("../mailbox/mailbox.ts");
  const mailbox = await startMailbox({ smtpPort: ports.smtp, httpPort: ports.mailbox, directory: paths.mail });
  supervisor.atEnd(mailbox.stop);
  step("mailbox is ready");
  return { host: "127.0.0.1", port: ports.smtp, mailbox: mailbox.pageUrl };
}

async function identity({ given, ports, apiPort, supervisor }: ServerOptions): Promise<Identity> {
  if (given.identityUrl) return { url: theirs("identity issuer", given.identityUrl, "BETTER_AUTH_URL") };
  const { startIdentity } = await import("../identity/identity.ts");
  const origins = [`http://127.0.0.1:${apiPort}`, `http://localhost:${apiPort}`];
  const demo = { users: demoUsers, origins };
  const { url, sign, stop } = await startIdentity({ port: ports.identity, keyFile: paths.identityKey, demo });
  supervisor.atEnd(stop);
  step("identity issuer is ready");
  return { url, sign };
}

async function cards({ given, ports, apiPort, secrets, supervisor }: ServerOptions): Promise<CardService | undefined> {
  if (given.cards) {
    step(`card provider: yours, '${given.cards}' (PAYMENT_PROVIDER)`);
    return undefined;
  }
  const { startYooKassa } = await import("../yookassa/server.ts");
  const { apiUrl, pageUrl, stop } = await startYooKassa({
    port: ports.yookassa,
    shops: { [shopId]: secrets.yookassaSecret },
    notificationUrl: `http://127.0.0.1:${apiPort}/webhooks/payments/yookassa`,
    file: paths.payments,
  });
  supervisor.atEnd(stop);
  step("card provider is ready");
  return { apiUrl, pageUrl, shopId, secretKey: secrets.yookassaSecret };
}

function theirs(what: string, address: string, variable: string): string {
  step(`${what}: yours at ${withoutPassword(address)} (${variable})`);
  return address;
}
