import { createPrivateKey } from "node:crypto";
import { StartUpError } from "../errors.ts";
import { type PostgresAddress, parsePostgresUrl } from "../platform/postgres/address.ts";
import { isInside, isThisMachine, isWide } from "./addresses.ts";
import { bitsOf, isPublished } from "./strength.ts";

/** Modes of a program; all except `local` refuse unsafe settings. */
export const modes = ["local", "staging", "production"] as const;

interface Issuer {
  issuer: string;
  jwksUrl: string;
  audiences: string[];
  authorizedParties: string[];
}

/** The input of the rules; a process lacks the settings that it does not read. */
export interface Settings {
  [name: string]: unknown;
  API_KEY?: string[] | undefined;
  BETTER_AUTH_URL?: string | undefined;
  DATABASE_DIRECT_URL?: string | undefined;
  DATABASE_URL?: string | undefined;
  DEMO_TOKENS_URL?: string | undefined;
  DKIM_PRIVATE_KEY?: string | undefined;
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS?: Record<string, string> | undefined;
  PAYMENT_PROVIDER?: string | undefined;
  PRINT_ALLOWED_CIDRS?: string[] | undefined;
  RATE_LIMIT_EXEMPT_CIDRS?: string[] | undefined;
  REDIS_CACHE_CLUSTER_NODES?: readonly { host: string }[] | undefined;
  REDIS_CACHE_SENTINELS?: readonly { host: string }[] | undefined;
  REDIS_CACHE_TLS?: boolean | undefined;
  REDIS_CACHE_URL?: string | undefined;
  REDIS_CLUSTER_NODES?: readonly { host: string }[] | undefined;
  REDIS_SENTINELS?: readonly { host: string }[] | undefined;
  REDIS_TLS?: boolean | undefined;
  REDIS_URL?: string | undefined;
  S3_ENDPOINT_URL?: string | undefined;
  SMTP_FROM?: { address: string } | undefined;
  SMTP_HOST?: string | undefined;
  SMTP_SECURITY?: string | undefined;
  TRUSTED_ISSUERS?: Issuer[] | undefined;
  TRUST_PROXY?: number | undefined;
  WEBHOOK_ALLOW_PRIVATE?: boolean | undefined;
  YOOKASSA_API_URL?: string | undefined;
}

/** A CDN, a load balancer and an ingress; with more, a client could choose its address. */
const maxProxies = 3;
/** Minimum bits by `bitsOf` of a signing secret: an attacker can search for it offline, from signatures. */
const ownBits = 64;
/** The same for a login to another server, which may come from other people and which limits wrong attempts itself. */
const loginBits = 36;
/** RFC 8301, 3.2: signers use keys of at least this length. */
const dkimBits = 1_024;

/**
 * Settings that are unsafe outside a developer's machine, by their names for `ALLOW_UNSAFE`. Each rule returns
 * sentences: what is set, why it is unsafe, what to do. None of them shows a secret.
 */
export const rules = {
  "test-payments": ({ PAYMENT_PROVIDER }) =>
    when(
      PAYMENT_PROVIDER === "test",
      "PAYMENT_PROVIDER is 'test': it takes no money, and any visitor decides how a payment ends. Set it to 'yookassa' or 'none'.",
    ),
  "demo-tokens": ({ DEMO_TOKENS_URL }) =>
    when(DEMO_TOKENS_URL, "DEMO_TOKENS_URL is set: it gives tokens of every role to any visitor. Leave it empty."),
  "private-webhooks": ({ WEBHOOK_ALLOW_PRIVATE }) =>
    when(
      WEBHOOK_ALLOW_PRIVATE,
      "WEBHOOK_ALLOW_PRIVATE is true: webhooks could reach the servers of this network. Set it to false.",
    ),
  "published-secrets": (settings) =>
    [...secretsOf(settings), ...named("S3_ACCESS_KEY", settings.S3_ACCESS_KEY)].flatMap(({ name, text }) =>
      when(
        isPublished(text),
        `${name} is published with this program, so it is no secret. Generate one: ${howToMake}.`,
      ),
    ),
  "weak-secrets": (settings) => [
    ...secretsOf(settings).flatMap(({ name, text, bits }) =>
      when(
        bitsOf(text) < bits,
        `${name} is short, repetitive or made of words, so it can be guessed. Generate one: ${howToMake}.`,
      ),
    ),
    ...when(
      isShortKey(settings.DKIM_PRIVATE_KEY),
      `DKIM_PRIVATE_KEY has fewer than ${dkimBits} bits: others could sign mails with it. Generate one of 2048 bits.`,
    ),
  ],
  "plain-issuer": (settings) =>
    issuersOf(settings).flatMap(({ from, issuer, jwksUrl }) =>
      when(
        /^http:/i.test(issuer) || isPlain(jwksUrl),
        `${from} has the issuer '${safe(issuer)}', reached by plain http: others could replace its keys. Use https.`,
      ),
    ),
  "unbound-issuer": (settings) =>
    issuersOf(settings).flatMap(({ from, issuer, audiences, authorizedParties }) =>
      when(
        audiences.length + authorizedParties.length === 0,
        `${from} has the issuer '${safe(issuer)}' with neither audiences nor authorizedParties: tokens for other programs would be accepted. Name one of the two.`,
      ),
    ),
  "exempt-everybody": ({ RATE_LIMIT_EXEMPT_CIDRS }) =>
    when(
      isWide(RATE_LIMIT_EXEMPT_CIDRS ?? []),
      `RATE_LIMIT_EXEMPT_CIDRS is ${RATE_LIMIT_EXEMPT_CIDRS}: strangers would have no limits. Name only the front ends' servers.`,
    ),
  "print-everybody": ({ PRINT_ALLOWED_CIDRS }) =>
    when(
      isWide(PRINT_ALLOWED_CIDRS ?? []),
      `PRINT_ALLOWED_CIDRS is ${PRINT_ALLOWED_CIDRS}: strangers could print orders and waybills. Name only the warehouse's server.`,
    ),
  "many-proxies": ({ TRUST_PROXY = 0 }) =>
    when(
      TRUST_PROXY > maxProxies,
      `TRUST_PROXY is ${TRUST_PROXY}, more than ${maxProxies}: a client could choose its own address. Set it to the number of proxies in front.`,
    ),
  "no-limits": (settings) =>
    Object.entries(settings).flatMap(([name, value]) =>
      when(
        value === 0 && isLimit(name),
        `${name} is 0, which means no limit: one client could use all resources. Set a number above 0.`,
      ),
    ),
  "plain-postgres": (settings) =>
    (["DATABASE_URL", "DATABASE_DIRECT_URL"] as const).flatMap((name) => {
      const address = settings[name] && parsePostgresUrl(settings[name]);
      const outside = address && !isVerified(address) && address.hosts.find((host) => !isInside(host));
      return when(
        outside,
        `${name} leads to '${outside}' over public networks, and is not encrypted to a verified server: others could read and change all data. ${nameIt("Add '?sslmode=verify-full'")}`,
      );
    }),
  "plain-redis": (settings) =>
    (["REDIS", "REDIS_CACHE"] as const).flatMap((of) => [
      ...when(
        isPlain(settings[`${of}_URL`], "redis:"),
        `${of}_URL leads to '${hostOf(settings[`${of}_URL`])}' over public networks without TLS: others could read and change jobs. ${nameIt("Use rediss://")}`,
      ),
      ...(["SENTINELS", "CLUSTER_NODES"] as const).flatMap((list) => {
        const outside = (settings[`${of}_${list}`] ?? []).filter(({ host }) => !isInside(host));
        return when(
          outside.length > 0 && !settings[`${of}_TLS`],
          `${of}_${list} leads to '${outside[0]?.host}' over public networks without TLS: others could read and change jobs. ${nameIt(`Set ${of}_TLS=true`)}`,
        );
      }),
    ]),
  "plain-s3": ({ S3_ENDPOINT_URL }) =>
    when(
      isPlain(S3_ENDPOINT_URL),
      `S3_ENDPOINT_URL leads to '${hostOf(S3_ENDPOINT_URL)}' over public networks without TLS: others could read and change files. ${nameIt("Use https")}`,
    ),
  "plain-payments": ({ YOOKASSA_API_URL }) =>
    when(
      isPlain(YOOKASSA_API_URL),
      `YOOKASSA_API_URL leads to '${hostOf(YOOKASSA_API_URL)}' over public networks without TLS: others could read the shop's key and say that payments were made. Use https.`,
    ),
  "plain-telemetry": ({ OTEL_EXPORTER_OTLP_ENDPOINT }) =>
    when(
      isPlain(OTEL_EXPORTER_OTLP_ENDPOINT),
      `OTEL_EXPORTER_OTLP_ENDPOINT leads to '${hostOf(OTEL_EXPORTER_OTLP_ENDPOINT)}' over public networks without TLS: others could read traces and the collector's token. ${nameIt("Use https")}`,
    ),
  "plain-mail": ({ SMTP_HOST, SMTP_SECURITY }) =>
    when(
      SMTP_HOST && SMTP_SECURITY === "none" && !isThisMachine(SMTP_HOST),
      `SMTP_SECURITY is 'none' and SMTP_HOST '${SMTP_HOST}' is not this machine: others could read all mail. Set it to 'starttls' or 'tls'.`,
    ),
  "default-sender": ({ SMTP_HOST, SMTP_FROM }) =>
    when(
      SMTP_HOST && (!SMTP_FROM || /[@.]example\.(com|net|org)$/i.test(SMTP_FROM.address)),
      "SMTP_FROM is not set, or is of example.com as on a developer's machine: mails would be refused or take replies elsewhere. Set it to an address of the shop.",
    ),
} satisfies Record<string, (settings: Settings) => string[]>;

type RuleName = keyof typeof rules;

/** Names for `ALLOW_UNSAFE`. */
export const ruleNames = Object.keys(rules) as RuleName[];

/** Rules that `ALLOW_UNSAFE` cannot permit: goods would leave for money that never came. */
export const unpermitted: readonly RuleName[] = ["test-payments"];

/** Settings that are or contain secrets: their parts, and the required bits of each. */
const secrets: Record<string, number> = {
  API_KEY: ownBits,
  AUTOSCALER_TOKEN: ownBits,
  BETTER_AUTH_WEBHOOK_SECRET: ownBits,
  PAYMENT_WEBHOOK_SECRET: ownBits,
  MAIL_WEBHOOK_SECRET: ownBits,
  MAIL_LINK_SECRET: ownBits,
  REDIS_PASSWORD: loginBits,
  REDIS_SENTINEL_PASSWORD: loginBits,
  REDIS_CACHE_PASSWORD: loginBits,
  REDIS_CACHE_SENTINEL_PASSWORD: loginBits,
  S3_SECRET_KEY: ownBits,
  SMTP_PASS: loginBits,
  YOOKASSA_SECRET_KEY: loginBits,
};

/** Settings for which 0 means no limit for strangers. */
const isLimit = (name: string) => /^(RATE_LIMIT|UPLOADS_PER|CONNECTIONS_PER|MAIL_UNPROVED)_/.test(name);

const howToMake = "openssl rand -base64 32";
const nameIt = (what: string) => `${what}, or use an inside name: a private address, 'redis', or a name under .svc.`;

/**
 * Returns a line to log for each unsafe setting that `allowed` permits; throws `StartUpError` with a sentence for each
 * of the others. The mode `local` permits everything and has no lines.
 */
export function refuseUnsafe(mode: (typeof modes)[number], allowed: readonly string[], settings: Settings): string[] {
  if (mode === "local") return [];
  const found = ruleNames.flatMap((rule) => rules[rule](settings).map((sentence) => ({ rule, sentence })));
  const refused = found.filter(({ rule }) => !allowed.includes(rule) || unpermitted.includes(rule));
  if (refused.length === 0) return found.map(({ rule, sentence }) => `ALLOW_UNSAFE=${rule}: ${sentence}`);
  const lines = refused.map(({ rule, sentence }) => `  ${sentence} [${rule}]`);
  const names = [...new Set([...allowed, ...refused.map(({ rule }) => rule)])];
  const possible = names.filter((name) => !unpermitted.some((rule) => rule === name));
  const never = refused.some(({ rule }) => unpermitted.includes(rule));
  throw new StartUpError(
    `Unsafe configuration, refused because ENVIRONMENT is ${mode}:\n${lines.join("\n")}\n` +
      (never ? `ALLOW_UNSAFE cannot permit ${unpermitted.join(", ")}. ` : "") +
      (possible.length > 0 ? `To keep the other settings, allow them: ALLOW_UNSAFE=${possible.join(",")}. ` : "") +
      "On a developer's machine set ENVIRONMENT=local.",
  );
}

function when(isUnsafe: unknown, sentence: string) {
  return isUnsafe ? [sentence] : [];
}

function secretsOf(settings: Settings) {
  return Object.entries(settings).flatMap(([name, value]) => {
    const own = secrets[name];
    if (own !== undefined) return named(name, value).map((one) => ({ ...one, bits: own }));
    if (name === "OTEL_EXPORTER_OTLP_HEADERS") return credentials(value as Record<string, string> | undefined);
    return passwords(name, value).map((one) => ({ ...one, bits: loginBits }));
  });
}

function named(name: string, value: unknown) {
  const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === "string");
  return texts.map((text) => ({ name, text: text.replace(/^whsec_/, "") }));
}

/** The password in a URL of any kind, also in the query, where the drivers of Postgres and Redis read it. */
function passwords(name: string, value: unknown) {
  if (typeof value !== "string") return [];
  return passwordsOf(name, value).map((text) => ({ name: `The password in ${name}`, text }));
}

function passwordsOf(name: string, url: string) {
  if (/^DATABASE_(DIRECT_)?URL$/.test(name)) return parsePostgresUrl(url).passwords;
  if (!URL.canParse(url)) return [];
  const { password, searchParams } = new URL(url);
  return [decode(password), ...searchParams.getAll("password")].filter(Boolean);
}

function decode(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Headers with credentials, without the scheme: `Bearer`, `Basic`. */
function credentials(headers: Record<string, string> = {}) {
  return Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret/i.test(name))
    .map(([header, value]) => ({
      name: `The header ${header} of OTEL_EXPORTER_OTLP_HEADERS`,
      text: value.replace(/^(bearer|basic) +/i, ""),
      bits: loginBits,
    }));
}

function isShortKey(pem: string | undefined) {
  if (pem === undefined) return false;
  try {
    const { modulusLength = dkimBits } = createPrivateKey(pem).asymmetricKeyDetails ?? {};
    return modulusLength < dkimBits;
  } catch {
    // An invalid key is reported by the code that signs with it.
    return false;
  }
}

function issuersOf({ BETTER_AUTH_URL: base, TRUSTED_ISSUERS = [] }: Settings) {
  // Bound to itself as its audience (`betterAuth` in config.ts).
  const own = base ? [{ issuer: base, jwksUrl: base, audiences: [base], authorizedParties: [] }] : [];
  return [
    ...own.map((one) => ({ from: "BETTER_AUTH_URL", ...one })),
    ...TRUSTED_ISSUERS.map((one) => ({ from: "TRUSTED_ISSUERS", ...one })),
  ];
}

/** True for a URL that is neither encrypted nor inside. */
function isPlain(url: string | undefined, protocol = "http:") {
  return url !== undefined && new URL(url).protocol === protocol && !isInside(hostOf(url));
}

/** The host, also from the query, where the driver of Redis reads it. */
function hostOf(url = "http://none") {
  const { hostname, searchParams } = new URL(url);
  return decode(searchParams.getAll("host").at(-1) ?? hostname);
}

/** As `pg` reads the parameters: encrypted, and only to a server with a matching certificate. */
function isVerified({ encryption }: PostgresAddress) {
  const mode = encryption.get("sslmode");
  if (mode === undefined) return ["true", "1"].includes(encryption.get("ssl") ?? "");
  if (mode === "require") return encryption.get("uselibpqcompat") !== "true";
  return mode === "verify-full" || mode === "verify-ca";
}

/** An issuer's name without a login in it. */
const safe = (issuer: string) => issuer.replace(/\/\/[^/@]*@/, "//");
