import { createHash } from "node:crypto";
import type { ruleNames } from "../../src/config/unsafe.ts";

type Settings = Record<string, string>;

/** Settings that one rule refuses, and nothing else does; `process` reads them. */
export interface UnsafeCase {
  process: "database" | "api" | "worker";
  settings: Settings;
}

/** Looks like chance, and is the same in every run. */
export const strong = (name: string) => createHash("sha256").update(name).digest("base64");
const encoded = (name: string) => encodeURIComponent(strong(name));

/** What staging and production take as it is. */
export const safeSettings: Settings = {
  DATABASE_URL: `postgres://shop:${encoded("postgres")}@postgres.shop.svc:5432/shop`,
  REDIS_URL: `redis://:${encoded("redis")}@redis:6379`,
  S3_BUCKET_NAME: "shop",
  S3_ACCESS_KEY: "shop",
  S3_SECRET_KEY: strong("s3"),
  BETTER_AUTH_URL: "https://id.example",
  SMTP_HOST: "smtp.example",
  SMTP_FROM: "Shop <orders@shop.example>",
};

const issuer = {
  issuer: "https://other.example",
  jwksUrl: "https://other.example/jwks",
  algorithms: ["EdDSA"],
  audiences: ["shop"],
};
const issuers = (...differing: object[]) => ({
  TRUSTED_ISSUERS: JSON.stringify(differing.map((one) => ({ ...issuer, ...one }))),
});
const api = (...all: Settings[]) => all.map((settings): UnsafeCase => ({ process: "api", settings }));
const worker = (...all: Settings[]) => all.map((settings): UnsafeCase => ({ process: "worker", settings }));

/** Networks that hold more of the Internet than a front end has servers. */
const wide = [
  "0.0.0.0/0",
  "::/0",
  "0.0.0.0/1,128.0.0.0/1",
  "::/1,8000::/1",
  "198.51.0.0/15",
  "10.0.0.0/7",
  "198.51.0.0/16,203.0.113.7/32",
  "2001:db8::/47",
];

/** By rule, what it refuses. */
export const unsafeCases: Record<(typeof ruleNames)[number], UnsafeCase[]> = {
  "test-payments": [
    ...api({ PAYMENT_PROVIDER: "test", PAYMENT_WEBHOOK_SECRET: `whsec_${strong("payments")}` }),
    ...worker({ PAYMENT_PROVIDER: "test" }),
  ],
  "demo-tokens": api({ DEMO_TOKENS_URL: "https://id.example/demo-tokens" }),
  "private-webhooks": [...api({ WEBHOOK_ALLOW_PRIVATE: "true" }), ...worker({ WEBHOOK_ALLOW_PRIVATE: "true" })],
  "published-secrets": [
    ...api(
      { API_KEY: `${strong("key")},local-only-${strong("key")}` },
      { S3_ACCESS_KEY: "local-only" },
      { S3_SECRET_KEY: `local-only-${strong("s3")}` },
    ),
    ...worker({ MAIL_LINK_SECRET: `local-only-${strong("link")}`, PUBLIC_URL: "https://shop.example" }),
    { process: "database", settings: { DATABASE_URL: `postgres://shop:local-only-${encoded("a")}@postgres/shop` } },
  ],
  "weak-secrets": [
    ...api(
      { API_KEY: "password123password123" },
      { API_KEY: `${strong("key")},correct-horse-battery-staple` },
      { AUTOSCALER_TOKEN: "aaaaaaaaaaaaaaaaaaaaaaaa" },
      { BETTER_AUTH_WEBHOOK_SECRET: "abcdefghijklmnopqrstuvwxyz" },
      { MAIL_WEBHOOK_SECRET: Buffer.from("secretsecretsecretsecret").toString("base64") },
      { REDIS_URL: "redis://:password123@redis:6379" },
      { REDIS_CACHE_SENTINELS: "sentinel:26379", REDIS_CACHE_PASSWORD: "password123" },
      { REDIS_CACHE_SENTINELS: "sentinel:26379", REDIS_CACHE_SENTINEL_PASSWORD: "password123" },
      { REDIS_URL: "", REDIS_SENTINELS: "sentinel:26379", REDIS_PASSWORD: "password123" },
      { REDIS_URL: "", REDIS_SENTINELS: "sentinel:26379", REDIS_SENTINEL_PASSWORD: "password123" },
      { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20password123" },
    ),
    ...worker({ SMTP_USER: "shop", SMTP_PASS: "Qwerty2024" }),
    { process: "database", settings: { DATABASE_URL: "postgres://shop:shop@postgres/shop" } },
  ],
  "plain-issuer": api(
    { BETTER_AUTH_URL: "http://id.example" },
    issuers({ issuer: "http://other.example" }),
    issuers({}, { jwksUrl: "http://other.example/jwks" }),
  ),
  "unbound-issuer": api(issuers({ audiences: [] }), issuers({}, { audiences: [], authorizedParties: [] })),
  "exempt-everybody": api(...wide.map((RATE_LIMIT_EXEMPT_CIDRS) => ({ RATE_LIMIT_EXEMPT_CIDRS }))),
  "print-everybody": api(...wide.map((PRINT_ALLOWED_CIDRS) => ({ PRINT_ALLOWED_CIDRS }))),
  "many-proxies": api({ TRUST_PROXY: "4" }, { TRUST_PROXY: "1000" }),
  "no-limits": api(
    { RATE_LIMIT_ANONYMOUS: "0" },
    { RATE_LIMIT_USER: "0" },
    { RATE_LIMIT_API_KEY: "0" },
    { RATE_LIMIT_ORDERS: "0" },
    { UPLOADS_PER_DAY: "00" },
    { CONNECTIONS_PER_CLIENT: "0" },
  ),
  "plain-postgres": [
    ...[
      "postgres://db.example:5432/shop",
      "postgres://203.0.113.7/shop",
      "postgres://db.example/shop?sslmode=disable",
      "postgres://db.example/shop?sslmode=no-verify",
      "postgres://db.internal,db.example/shop",
      "postgres://db.internal:5432,203.0.113.7:5432/shop?target_session_attrs=read-write",
      "postgres://db.example/shop?uselibpqcompat=true&sslmode=require",
      "postgres://postgres/shop?host=db.example",
      "postgres://134744072/shop",
    ].flatMap((url): UnsafeCase[] => [
      { process: "database", settings: { DATABASE_URL: url } },
      { process: "database", settings: { DATABASE_DIRECT_URL: url } },
    ]),
  ],
  "plain-redis": [
    ...api(
      { REDIS_CACHE_SENTINELS: "sentinel:26379, 198.51.100.7" },
      { REDIS_CACHE_CLUSTER_NODES: "redis.example:6379", REDIS_CACHE_TLS: "false" },
      { REDIS_URL: "redis://redis.example:6379" },
      { REDIS_CACHE_URL: "redis://[2001:db8::1]:6379" },
    ),
    ...worker({ REDIS_URL: "redis://198.51.100.7" }),
    ...worker(
      { REDIS_URL: "", REDIS_SENTINELS: "sentinel.example" },
      { REDIS_URL: "", REDIS_CLUSTER_NODES: "[2001:db8::1]:6379" },
    ),
  ],
  "plain-s3": [
    ...api({ S3_ENDPOINT_URL: "http://s3.example" }, { S3_ENDPOINT_URL: "http://198.51.100.7:9000" }),
    ...worker({ S3_ENDPOINT_URL: "http://s3.shop" }),
  ],
  "plain-payments": [
    ...api({ YOOKASSA_API_URL: "http://pay.example/v3" }),
    ...worker({ YOOKASSA_API_URL: "http://198.51.100.7/v3" }),
  ],
  "plain-telemetry": [
    ...api({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel.example:4318" }),
    ...worker({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://[2001:db8::1]:4318" }),
  ],
  "plain-mail": worker({ SMTP_SECURITY: "none" }, { SMTP_SECURITY: "none", SMTP_HOST: "10.0.0.7" }),
  "default-sender": worker({ SMTP_FROM: "Shop <shop@example.com>" }, { SMTP_FROM: "a@mail.example.org" }),
};

/** What looks like that and is in order. */
export const harmless: UnsafeCase[] = [
  ...api(
    { PAYMENT_PROVIDER: "none", WEBHOOK_ALLOW_PRIVATE: "false", TRUST_PROXY: "3", UPLOADS_PER_DAY: "1" },
    { API_KEY: "0f9d1c7ab3e84d5296a1c05be7d24f83", AUTOSCALER_TOKEN: "q9Zr2Vx0TtKp1mWc8YbLdA" },
    issuers({ issuer: "accounts.example", audiences: [], authorizedParties: ["https://shop.example"] }),
    issuers({ jwksUrl: "http://identity.shop.svc:4000/jwks" }),
    { RATE_LIMIT_EXEMPT_CIDRS: "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8,198.51.0.0/16" },
    { PRINT_ALLOWED_CIDRS: "127.0.0.0/8,::1/128,203.0.113.7/32,2001:db8::/48" },
    { REDIS_URL: `rediss://:${encoded("redis")}@redis.example`, REDIS_CACHE_URL: "redis://10.0.0.7" },
    {
      S3_ENDPOINT_URL: "http://minio.shop.svc.cluster.local:9000",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
      YOOKASSA_API_URL: "http://emulator:5000/v3",
    },
    { S3_ENDPOINT_URL: "https://s3.example", OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=shop" },
  ),
  ...worker({ SMTP_SECURITY: "none", SMTP_HOST: "localhost" }, { SMTP_SECURITY: "tls", SMTP_USER: "shop" }),
  ...[
    "postgres://db.example/shop?sslmode=verify-full",
    "postgres://db.example/shop?sslmode=require",
    "postgres://db.internal/shop",
    "postgres:///shop?host=/var/run/postgresql",
    "postgres://192.168.0.7/shop",
    "postgres://[fd00::7]/shop",
    "postgres://db1.internal:5432,db2.internal:5433/shop?target_session_attrs=read-write",
    "postgres://db1.example,db2.example/shop?sslmode=verify-full",
    "postgres:///shop?host=10.0.0.7,10.0.0.8&port=5432,5433",
  ].map((DATABASE_URL): UnsafeCase => ({ process: "database", settings: { DATABASE_URL } })),
];
