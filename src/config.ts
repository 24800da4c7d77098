import { z } from "zod";
import { isWide } from "./config/addresses.ts";
import {
  certificateFile,
  cidrs,
  headersOf,
  host,
  json,
  keyPrefix,
  list,
  origin,
  Payee,
  perMinute,
  port,
  postgresConnection,
  sender,
  signingSecret,
  url,
  whole,
  yesOrNo,
} from "./config/kinds.ts";
import { cardsOf, paymentSettings } from "./config/payments.ts";
import { brokerSettings, cacheSettings, lackOfBroker, redisOf } from "./config/redis.ts";
import { modes, refuseUnsafe, ruleNames, type Settings } from "./config/unsafe.ts";
import { StartUpError } from "./errors.ts";
import { mailKindNames } from "./jobs/mail-kinds.ts";
import { queueNames } from "./jobs/queues.ts";
import { readRetention } from "./jobs/retention.ts";
import { scalingRules } from "./jobs/scaling.ts";
import { parsePostgresUrl } from "./platform/postgres/address.ts";

const workers = z.int().min(0).max(1_000);
const seconds = z.number().positive().max(86_400);
const Scaling = z.partialRecord(
  z.enum(queueNames),
  z
    .strictObject({
      goalSeconds: seconds,
      minWorkers: workers,
      maxWorkers: workers.min(1),
      concurrency: z.int().min(1).max(1_000),
      priorSeconds: seconds,
      startSeconds: seconds,
      graceSeconds: seconds,
    })
    .partial(),
);

const Process = z.object({
  /** The environment: all except `local` refuse the settings that src/config/unsafe.ts finds. */
  ENVIRONMENT: z.enum(modes).default("production"),
  /** Rules of src/config/unsafe.ts to ignore, comma separated; each is logged at every start. */
  ALLOW_UNSAFE: list.pipe(z.array(z.enum(ruleNames))),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  /** File with certificates of authorities, in PEM, that all TLS connections trust besides the usual ones. */
  EXTRA_CA_FILE: certificateFile.default([]),
});

const Database = Process.extend({
  DATABASE_URL: postgresConnection,
  /** `transaction`: DATABASE_URL leads to a pooler that gives a connection to a transaction, such as PgBouncer. */
  DATABASE_POOLER: z.enum(["none", "transaction"]).default("none"),
  /** The same database without the pooler, for migrations; absent: they go through it. */
  DATABASE_DIRECT_URL: postgresConnection.optional(),
  /** Connections of one process, besides those of its queues (src/platform/postgres/connections.ts). */
  DATABASE_POOL_MAX: whole(2).default(10),
});

const Shared = Database.extend({
  /** How long running requests or jobs may go on after SIGTERM; keep it 10 s below the pod's grace period. */
  DRAIN_TIMEOUT_MS: whole(0).default(20_000),
  /** Address the process listens on. */
  HOST: z.string().min(1).default("0.0.0.0"),
  ...brokerSettings,
  ...cacheSettings,
  /** Prefix of every key of the queues; lets several installations share one Redis. */
  QUEUE_PREFIX: z.string().min(1).default("jobs"),
  /** Absent: Amazon's own endpoint of the region. */
  S3_ENDPOINT_URL: url.optional(),
  S3_DEFAULT_REGION: z.string().min(1).default("us-east-1"),
  /** How a request names the bucket: `path` (`https://s3.example/bucket`), or `virtual` (`https://bucket.s3.example`). */
  S3_ADDRESSING: z.enum(["path", "virtual"]).default("path"),
  S3_BUCKET_NAME: z.string().min(1),
  /** First part of the key of every object, for a bucket that others use as well. */
  S3_KEY_PREFIX: keyPrefix.default(""),
  S3_ACCESS_KEY: z.string().min(1),
  S3_SECRET_KEY: z.string().min(1),
  /** Port of probes, metrics and desired workers; 0: any free port, which the log names. */
  OPS_PORT: port.default(9090),
  /** Secret that the autoscaler sends as bearer; absent: every client that reaches OPS_PORT may ask. */
  AUTOSCALER_TOKEN: z.string().min(16).optional(),
  /** JSON, by queue, overrides of `src/jobs/scaling.ts`: `{"images": {"maxWorkers": 20}}`. */
  AUTOSCALE: json("{}").pipe(Scaling),
  /** Where browsers read the bucket; default: `<endpoint>/<bucket>`, or with the bucket in the host. */
  S3_PUBLIC_URL: url.optional(),
  ...paymentSettings,
  /** The account of the payee of invoices, as JSON; absent: there are no invoices. */
  PAYEE: json("null").pipe(Payee.nullable()),
  /** true: webhooks may go to http addresses, to this machine and to private networks; for development only. */
  WEBHOOK_ALLOW_PRIVATE: yesOrNo,
  /** Mails to one mailbox per day that strangers may cause, by kind of act; 0 means no limit. */
  MAIL_UNPROVED_PER_DAY: whole(0).default(5),
  /** Signs links in mails that work without a login; absent: mails have none. */
  MAIL_LINK_SECRET: z.string().min(16).optional(),
  /** Base address of the OpenTelemetry collector (OTLP over HTTP) for traces; absent: nothing is traced. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  /** Headers for the collector, as `authorization=Bearer%20…`, comma separated, percent-encoded. */
  OTEL_EXPORTER_OTLP_HEADERS: z.string().transform(headersOf).optional(),
  /** Share of the requests that are traced, 0 to 1. */
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, "is not a number from 0 to 1")
    .transform(Number)
    .default(1),
});

/** A party whose tokens are accepted. */
const Issuer = z.object({
  issuer: z.string().min(1),
  jwksUrl: url,
  algorithms: z.array(z.enum(["EdDSA", "RS256"])).min(1),
  /** Accepted `aud` values; empty: the token need not have one. */
  audiences: z.array(z.string()).default([]),
  /** Accepted `azp` values; empty: not checked. */
  authorizedParties: z.array(z.string()).default([]),
  /** Column of `users` with the subject. */
  userKey: z.enum(["id", "clerk_id"]).default("id"),
});

export type TrustedIssuer = z.output<typeof Issuer>;

const Api = Shared.extend({
  PORT: port.default(8080),
  /** Address of this API as clients see it; audit rows and job links are built from it. */
  PUBLIC_URL: url.optional(),
  /** false: the proxy in front leaves the path of PUBLIC_URL in its requests; true: it takes it away. */
  PUBLIC_PATH_STRIPPED: z
    .enum(["true", "false"])
    .default("true")
    .transform((text) => text === "true"),
  /** How many proxies in front are trusted about the client's address and protocol. */
  TRUST_PROXY: whole(0).default(0),
  /** Origins from which browsers may call, comma separated. */
  CORS_ORIGINS: list.pipe(z.array(origin)),
  /** Keys of programs that may order documents and mail, comma separated; several during a rotation. */
  API_KEY: list.pipe(z.array(z.string().min(16, "an API key has at least 16 characters"))),
  /** Secret that the identity provider sends with its webhooks; absent: webhooks are refused. */
  BETTER_AUTH_WEBHOOK_SECRET: z.string().min(16).optional(),
  /**
   * Secret that the test provider signs its webhooks with, as Standard Webhooks writes it: base64, with or without
   * `whsec_`.
   */
  PAYMENT_WEBHOOK_SECRET: signingSecret.optional(),
  /** The same for the mail provider; absent: bounces are refused. */
  MAIL_WEBHOOK_SECRET: signingSecret.optional(),
  /** Networks whose clients may print without a token, comma separated CIDRs; absent: none. */
  PRINT_ALLOWED_CIDRS: cidrs,
  /** Requests per minute from one address without a token, to one process. */
  RATE_LIMIT_ANONYMOUS: perMinute(1_200),
  /** Requests per minute of one user, to one process. */
  RATE_LIMIT_USER: perMinute(1_200),
  /** Requests per minute from one address with the API key, to one process. */
  RATE_LIMIT_API_KEY: perMinute(600),
  /** Orders per minute of one customer, or of guests from one address, to all processes together. */
  RATE_LIMIT_ORDERS: perMinute(30),
  /** Uploads per day of one user, to all processes together. */
  UPLOADS_PER_DAY: perMinute(1_000),
  /** Concurrent connections of one client; behind proxies concurrent requests. 0: no limit. */
  CONNECTIONS_PER_CLIENT: whole(0).default(250),
  /** Seconds after which a connection is closed whose client reads nothing; shorter than the idle limit (95 s). */
  UNREAD_ANSWER_SECONDS: whole(1, 90).default(30),
  /** Networks without limits: the servers of the front ends, which send the requests of all users. */
  RATE_LIMIT_EXEMPT_CIDRS: cidrs,
  /** E-mail addresses of employees who may control jobs: over REST, in the board and by `tcf`; comma separated. */
  BOARD_OPERATORS: list.pipe(z.array(z.email().toLowerCase())),
  /** Header in which a proxy that has logged people in names their e-mail address to the board. */
  BOARD_IDENTITY_HEADER: z
    .string()
    .regex(/^[\w-]{1,60}$/, "is not the name of a header")
    .toLowerCase()
    .optional(),
  /** Addresses of that proxy, comma separated CIDRs; from all others the header is ignored. */
  BOARD_IDENTITY_CIDRS: cidrs,
  /** Base URL of the runbook, for links of the board: `<base>/images` and so on. */
  RUNBOOK_URL: url.optional(),
  /** Where the API reference gets tokens of demo users; only for demos. */
  DEMO_TOKENS_URL: url.optional(),
  /** Base URL of better-auth: issuer and audience of its tokens, keys at `/api/auth/jwks`. */
  BETTER_AUTH_URL: url.optional(),
  /** JSON array of further (or other) trusted issuers; see docs/operations/configuration.md. */
  TRUSTED_ISSUERS: json("[]").pipe(z.array(Issuer)),
});

const Worker = Shared.extend({
  /** Queues this worker consumes, comma separated; absent: all. */
  WORKER_QUEUES: list
    .transform((names) => (names.length > 0 ? names : [...queueNames]))
    .pipe(z.array(z.enum(queueNames))),
  /** Concurrent jobs of each queue; absent: as in `src/jobs/queues.ts`. */
  WORKER_CONCURRENCY: whole(1).optional(),
  /** Public address of the API; links in mails are built from it. */
  PUBLIC_URL: url.optional(),
  /** Mail server; only the worker of the queue `mail` needs it. */
  SMTP_HOST: host.optional(),
  SMTP_PORT: whole(1, 65_535).default(587),
  SMTP_USER: z.string().min(1).optional(),
  SMTP_PASS: z.string().min(1).optional(),
  /** Sender of all mail; its address also accepts mails that unsubscribe. */
  SMTP_FROM: sender.default({ name: "ТЦ Форд", address: "shop@example.com" }),
  /** tls: encrypted from the first byte; starttls: encrypted or refused; none: for a mail server on this machine. */
  SMTP_SECURITY: z.enum(["none", "starttls", "tls"]).default("starttls"),
  /** Name of the DKIM key in the DNS of the sender's domain, and the key itself: PEM, or base64 of it. */
  DKIM_SELECTOR: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i, "is not a selector")
    .optional(),
  DKIM_PRIVATE_KEY: z
    .string()
    .transform((text) => (text.startsWith("-----") ? text : Buffer.from(text, "base64").toString()))
    .refine((pem) => /^-----BEGIN (RSA )?PRIVATE KEY-----/.test(pem), "is not a private key in PEM")
    .optional(),
  /** Mails per minute by the domain of their recipients, as `gmail.com=300,*=600`; absent: no limit. */
  MAIL_DOMAIN_RATES: list.transform((items, context) => {
    const rates = items.map((item) => /^(\*|[a-z0-9.-]+)=([1-9]\d{0,5})$/i.exec(item) ?? []);
    if (rates.every(({ length }) => length > 0))
      return new Map(rates.map(([, domain = "", rate]) => [domain.toLowerCase(), Number(rate)]));
    context.addIssue({ code: "custom", message: "is not like 'gmail.com=300,*=600'" });
    return z.NEVER;
  }),
  /** Hours of the shop's day without bulk mail, as `21-9`; absent: none. */
  MAIL_QUIET_HOURS: z
    .string()
    .regex(/^([01]?\d|2[0-3])-([01]?\d|2[0-3])$/, "is not like '21-9'")
    .transform((text) => text.split("-").map(Number) as [number, number])
    .optional(),
  /** Mails on a day of the shop, above which bulk mail waits for the next day; 0 means no limit. */
  MAIL_DAILY_CAP: whole(0).default(0),
  /** Kinds of mail that are not sent, because a front end sends them itself; comma separated, absent: all are sent. */
  MAIL_OFF: list.pipe(z.array(z.enum(mailKindNames, `is not one of ${mailKindNames.join(", ")}`))),
  /** The storefront's page of an order, with `{id}` in place of its id; absent: mails link to none. */
  STOREFRONT_ORDER_URL: url.refine((text) => text.includes("{id}"), "has no '{id}' for the id of an order").optional(),
  /** Addresses of staff for mails about new orders and low stock, comma separated; absent: none. */
  MAIL_STAFF: list.pipe(z.array(z.email())),
  /** A service that tells at `/api/has?message_id=` whether a mail has arrived; absent: none. */
  MAIL_PROBE_URL: url.optional(),
  /**
   * Days that data are kept, where they differ from the defaults: `mails=400,audit=1825`; names in docs/retention.md.
   */
  RETENTION: list.transform((items, context) => {
    const retention = readRetention(items);
    if (typeof retention !== "string") return retention;
    context.addIssue({ code: "custom", message: retention });
    return z.NEVER;
  }),
  /** How long a mail in doubt is left alone; at least the lease of its queue and the wait for an answer together. */
  MAIL_GRACE_MS: whole(100).default(60_000),
});

/** All variables, by the process that reads them. */
export const environment = { database: Database, api: Api, worker: Worker };

/**
 * Reads the environment once, at the top of an entry point; throws one error that lists every wrong variable, or every
 * unsafe one. `warnings` are lines to log, one for each unsafe setting that `ALLOW_UNSAFE` permits.
 */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv = process.env) {
  return read(Database, env);
}

/** The URL and the kind of server that migrations go to. */
export function migrationsOf(config: Pick<z.output<typeof Database>, `DATABASE_${"URL" | "DIRECT_URL" | "POOLER"}`>) {
  const { DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_POOLER } = config;
  if (DATABASE_DIRECT_URL) return { url: DATABASE_DIRECT_URL, isPooled: false };
  return { url: DATABASE_URL, isPooled: DATABASE_POOLER === "transaction" };
}

/** As `loadDatabaseConfig`, for `src/api/main.ts`. */
export function loadApiConfig(env: NodeJS.ProcessEnv = process.env) {
  const { BETTER_AUTH_URL, TRUSTED_ISSUERS, ...config } = read(Api, env);
  const issuers = [...(BETTER_AUTH_URL ? [betterAuth(BETTER_AUTH_URL)] : []), ...TRUSTED_ISSUERS];
  if (issuers.length === 0)
    throw new StartUpError(
      "Bad configuration:\n  Set BETTER_AUTH_URL or TRUSTED_ISSUERS: without one no user can log in",
    );
  if (config.PAYMENT_PROVIDER === "test" && config.PAYMENT_WEBHOOK_SECRET === undefined)
    throw new StartUpError("Bad configuration:\n  PAYMENT_PROVIDER=test needs PAYMENT_WEBHOOK_SECRET");
  return Object.freeze({
    ...withDefaults(config),
    board: boardAccess(config),
    issuers,
    limits: {
      here: {
        anonymous: { points: config.RATE_LIMIT_ANONYMOUS, seconds: 60 },
        user: { points: config.RATE_LIMIT_USER, seconds: 60 },
        "api-key": { points: config.RATE_LIMIT_API_KEY, seconds: 60 },
      },
      everywhere: {
        // Wrong tokens, keys, secrets and signatures from one address.
        credentials: { points: 20, seconds: 60 },
        // All tabs of an office that were open overnight send expired tokens at once.
        expired: { points: 200, seconds: 60 },
        orders: { points: config.RATE_LIMIT_ORDERS, seconds: 60 },
        uploads: { points: config.UPLOADS_PER_DAY, seconds: 86_400 },
      },
    },
    publicUrl: config.PUBLIC_URL ?? `http://localhost:${config.PORT}`,
  });
}

/** As `loadDatabaseConfig`, for `src/workers/main.ts`. */
export function loadWorkerConfig(env: NodeJS.ProcessEnv = process.env) {
  const config = read(Worker, env);
  const { SMTP_HOST, SMTP_PASS, SMTP_SECURITY } = config;
  if (config.WORKER_QUEUES.includes("mail") && !SMTP_HOST)
    throw new StartUpError("Bad configuration:\n  SMTP_HOST is not set: the queue mail could not send anything");
  if (SMTP_PASS && SMTP_SECURITY === "none")
    throw new StartUpError("Bad configuration:\n  SMTP_SECURITY is none: SMTP_PASS would be sent unencrypted");
  if (config.MAIL_LINK_SECRET && !config.PUBLIC_URL)
    throw new StartUpError("Bad configuration:\n  MAIL_LINK_SECRET needs PUBLIC_URL: links in mails lead there");
  return Object.freeze({
    ...withDefaults(config),
    smtp: smtpOf(config, SMTP_HOST ?? "localhost"),
    mailRules: {
      staff: config.MAIL_STAFF,
      unprovedPerDay: config.MAIL_UNPROVED_PER_DAY,
      off: new Set(config.MAIL_OFF),
      orderPage: config.STOREFRONT_ORDER_URL,
      pace: {
        domainRates: config.MAIL_DOMAIN_RATES,
        quietHours: config.MAIL_QUIET_HOURS,
        dailyCap: config.MAIL_DAILY_CAP,
      },
    },
  });
}

/** As `loadDatabaseConfig`, for code that checks all dependencies; a mail server may be missing. */
export function loadToolConfig(env: NodeJS.ProcessEnv = process.env) {
  const config = read(Worker, env);
  return Object.freeze({
    ...withDefaults(config),
    smtp: config.SMTP_HOST ? smtpOf(config, config.SMTP_HOST) : undefined,
  });
}

/** As `loadDatabaseConfig`, for code that requests tokens of demo users. */
export function loadDemoConfig(env: NodeJS.ProcessEnv = process.env) {
  return read(Process.extend(Api.pick({ DEMO_TOKENS_URL: true }).shape), env);
}

/** As `loadDatabaseConfig`, for code that checks the rights to control jobs. */
export function loadOperators(env: NodeJS.ProcessEnv = process.env) {
  return read(Process.extend(Api.pick({ BOARD_OPERATORS: true }).shape), env);
}

function smtpOf(config: z.output<typeof Worker>, host: string) {
  const { SMTP_USER, SMTP_PASS } = config;
  return {
    host,
    port: config.SMTP_PORT,
    credentials: SMTP_USER && SMTP_PASS ? { user: SMTP_USER, pass: SMTP_PASS } : undefined,
    from: config.SMTP_FROM,
    security: config.SMTP_SECURITY,
    graceMs: config.MAIL_GRACE_MS,
    dkim: dkimOf(config),
  };
}

type BoardVariable = Extract<keyof z.output<typeof Api>, `BOARD_${string}` | "ENVIRONMENT" | "RUNBOOK_URL">;

/** Throws when any client that can send the header could enter the board. */
function boardAccess(config: Pick<z.output<typeof Api>, BoardVariable>) {
  const { BOARD_IDENTITY_HEADER: header, BOARD_IDENTITY_CIDRS: proxies } = config;
  if (header !== undefined && proxies.length === 0)
    throw new StartUpError(
      "Bad configuration:\n  BOARD_IDENTITY_HEADER needs BOARD_IDENTITY_CIDRS, the proxy's addresses",
    );
  if (isWide(proxies))
    throw new StartUpError(`Bad configuration:\n  BOARD_IDENTITY_CIDRS is ${proxies}: the board would be open to all`);
  const identity = header === undefined ? undefined : { header, proxies };
  const { BOARD_OPERATORS: operators, ENVIRONMENT: environment, RUNBOOK_URL: runbookUrl } = config;
  return { operators, identity, environment, runbookUrl };
}

function dkimOf({ DKIM_SELECTOR, DKIM_PRIVATE_KEY, SMTP_FROM }: z.output<typeof Worker>) {
  if (!DKIM_SELECTOR && !DKIM_PRIVATE_KEY) return undefined;
  if (!DKIM_SELECTOR || !DKIM_PRIVATE_KEY)
    throw new StartUpError("Bad configuration:\n  DKIM_SELECTOR and DKIM_PRIVATE_KEY are needed together");
  const domainName = SMTP_FROM.address.slice(SMTP_FROM.address.indexOf("@") + 1);
  return { domainName, keySelector: DKIM_SELECTOR, privateKey: DKIM_PRIVATE_KEY };
}

function read<Schema extends z.ZodObject<typeof Process.shape>>(schema: Schema, env: NodeJS.ProcessEnv) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const { success, data, error } = schema.safeParse(given);
  if (success) {
    refuseSessionOptions(data);
    return { ...data, warnings: warningsOf(data) };
  }
  const wrong = error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `  ${name} ${given[name] === undefined ? "is not set" : `is wrong: ${message}`}`;
  });
  wrong.push(...lackOfBroker(schema.shape, given));
  throw new StartUpError(
    `Bad configuration:\n${wrong.join("\n")}\nAll variables: .env.example, docs/operations/configuration.md`,
  );
}

/** A session's options would be lost behind a pooler, or found by others. */
function refuseSessionOptions(settings: unknown) {
  const { DATABASE_URL, DATABASE_POOLER } = settings as Partial<z.output<typeof Database>>;
  if (DATABASE_POOLER !== "transaction" || !parsePostgresUrl(DATABASE_URL ?? "").options) return;
  throw new StartUpError(
    "Bad configuration:\n  DATABASE_URL has 'options', which a pooler in transaction mode does not keep: " +
      "set them for the role, as in ALTER ROLE … SET search_path = …",
  );
}

/** The allowed unsafe settings, a line each for the log of every start; throws for those that are not allowed. */
function warningsOf(settings: unknown) {
  const { ENVIRONMENT, ALLOW_UNSAFE, ...others } = settings as z.output<typeof Process>;
  return refuseUnsafe(ENVIRONMENT, ALLOW_UNSAFE, others satisfies Settings);
}

function withDefaults<C extends z.output<typeof Shared>>(config: C) {
  const scaling = scalingRules(config.AUTOSCALE);
  for (const [queue, { minWorkers, maxWorkers }] of Object.entries(scaling)) {
    if (minWorkers > maxWorkers)
      throw new StartUpError(
        `Bad configuration:\n  AUTOSCALE is wrong: ${queue} has minWorkers ${minWorkers} and maxWorkers ${maxWorkers}`,
      );
  }
  return {
    ...config,
    redis: redisOf(config),
    cards: cardsOf(config),
    scaling,
    tracing: {
      endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: config.OTEL_EXPORTER_OTLP_HEADERS,
      ratio: config.OTEL_TRACES_SAMPLER_ARG,
    },
    s3: s3Of(config),
  };
}

/** Where browsers read a bucket of this server. */
export function bucketUrl(endpoint: string, bucket: string, addressing: "path" | "virtual") {
  return addressing === "path" ? `${endpoint}/${bucket}` : endpoint.replace("://", `://${bucket}.`);
}

type S3Variable = Extract<keyof z.output<typeof Shared>, `S3_${string}`>;

/** The bucket as `platform/object-store` takes it. */
export function s3Of(config: Pick<z.output<typeof Shared>, S3Variable>) {
  const { S3_ENDPOINT_URL, S3_DEFAULT_REGION: region, S3_BUCKET_NAME: bucket, S3_ADDRESSING: addressing } = config;
  const endpoint = S3_ENDPOINT_URL ?? `https://s3.${region}.amazonaws.com`;
  return {
    endpoint: S3_ENDPOINT_URL,
    region,
    addressing,
    bucket,
    keyPrefix: config.S3_KEY_PREFIX,
    accessKeyId: config.S3_ACCESS_KEY,
    secretAccessKey: config.S3_SECRET_KEY,
    publicUrl: config.S3_PUBLIC_URL ?? bucketUrl(endpoint, bucket, addressing),
  };
}

function betterAuth(base: string): TrustedIssuer {
  return {
    issuer: base,
    jwksUrl: `${base}/api/auth/jwks`,
    algorithms: ["EdDSA"],
    audiences: [base],
    authorizedParties: [],
    userKey: "id",
  };
}
