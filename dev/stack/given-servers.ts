import { bucketUrl, environment } from "../../src/config.ts";
import { parsePostgresUrl } from "../../src/platform/postgres/address.ts";
import { Refusal } from "./refusal.ts";

/** The S3 bucket to use and the keys for it. */
export interface Bucket {
  endpoint: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
  publicUrl: string;
}

/** A Redis of the person's own. */
export interface GivenRedis {
  /** The variable that names it. */
  variable: string;
  /** Its value: a URL, or addresses of sentinels or of a cluster. */
  value: string;
}

/** Servers the person has named in the environment and that are used instead of starting one. */
export interface GivenServers {
  databaseUrl?: string;
  redis?: GivenRedis;
  s3?: Bucket;
  smtp?: { host: string; port: number };
  identityUrl?: string;
  /** The card provider, which then has its own settings there. */
  cards?: string;
}

/** As the worker takes it, with its default. */
const smtpPort = environment.worker.shape.SMTP_PORT;

const s3Names = ["S3_ENDPOINT_URL", "S3_BUCKET_NAME", "S3_ACCESS_KEY", "S3_SECRET_KEY"] as const;

/** Reads which servers are given; throws a refusal that names every variable that is missing beside them. */
export function readGivenServers(env: NodeJS.ProcessEnv = process.env): GivenServers {
  checkAddresses(env);
  const { DATABASE_URL, SMTP_HOST, SMTP_PORT, BETTER_AUTH_URL, PAYMENT_PROVIDER } = env;
  const s3 = readBucket(env);
  const redis = readRedis(env);
  return {
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    ...(redis && { redis }),
    ...(s3 && { s3 }),
    ...(SMTP_HOST && { smtp: { host: SMTP_HOST, port: smtpPort.parse(SMTP_PORT || undefined) } }),
    ...(BETTER_AUTH_URL && { identityUrl: BETTER_AUTH_URL }),
    ...(PAYMENT_PROVIDER && { cards: PAYMENT_PROVIDER }),
  };
}

/** Shows an address without its password; one that cannot be read is not shown. */
export function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return serversOf(address) ?? "an address that cannot be read";
  const url = new URL(address);
  if (url.password) url.password = "***";
  if (url.searchParams.has("password")) url.searchParams.set("password", "***");
  return url.href;
}

/** Of a URL with several servers of Postgres, which is no URL for others. */
function serversOf(address: string) {
  try {
    const { servers, path } = parsePostgresUrl(address);
    return `postgresql://${servers}${path}`;
  } catch {
    return undefined;
  }
}

/** An address that cannot be read may hold a password anywhere: only what is wrong is said of it. */
function checkAddresses(env: NodeJS.ProcessEnv) {
  const { EXTRA_CA_FILE, S3_ADDRESSING, S3_ENDPOINT_URL, S3_PUBLIC_URL, BETTER_AUTH_URL } = environment.api.shape;
  const { DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_POOLER } = environment.api.shape;
  const { REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER_NODES } = environment.api.shape;
  const { SMTP_HOST } = environment.worker.shape;
  const databases = { DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_POOLER };
  const servers = { ...databases, S3_ENDPOINT_URL, S3_PUBLIC_URL, BETTER_AUTH_URL, SMTP_HOST };
  const redis = { REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER_NODES };
  const given = { EXTRA_CA_FILE, S3_ADDRESSING, ...servers, ...redis, ...(env.SMTP_HOST && { SMTP_PORT: smtpPort }) };
  const wrong = Object.entries(given).flatMap(([name, kind]) => {
    const { error } = env[name] ? kind.safeParse(env[name]) : {};
    return error ? [`${name} is wrong: ${error.issues[0]?.message}`] : [];
  });
  // It would migrate that one, and fill the one that it starts.
  if (env.DATABASE_DIRECT_URL && !env.DATABASE_URL) wrong.push("DATABASE_DIRECT_URL is set without DATABASE_URL");
  if (wrong.length > 0) throw new Refusal(`${wrong.join("\n")}\nCorrect it, or leave it out to have a server started.`);
}

function readRedis(env: NodeJS.ProcessEnv): GivenRedis | undefined {
  const names = ["REDIS_URL", "REDIS_SENTINELS", "REDIS_CLUSTER_NODES"];
  const variable = names.find((name) => env[name]);
  return variable === undefined ? undefined : { variable, value: String(env[variable]) };
}

function addressingOf({ S3_ADDRESSING }: NodeJS.ProcessEnv) {
  return environment.api.shape.S3_ADDRESSING.parse(S3_ADDRESSING || undefined);
}

function readBucket(env: NodeJS.ProcessEnv): Bucket | undefined {
  if (!env.S3_ENDPOINT_URL) return undefined;
  const missing = s3Names.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new Refusal(`S3_ENDPOINT_URL is set, so that S3 is used; it also needs ${missing.join(", ")}.`);
  }
  const [endpoint = "", bucket = "", accessKey = "", secretKey = ""] = s3Names.map((name) => env[name]);
  const publicUrl = env.S3_PUBLIC_URL || bucketUrl(endpoint.replace(/\/+$/, ""), bucket, addressingOf(env));
  return { endpoint, bucket, accessKey, secretKey, publicUrl };
}
