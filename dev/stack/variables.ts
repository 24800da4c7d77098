import { loadApiConfig, loadWorkerConfig } from "../../src/config.ts";
import { StartUpError } from "../../src/errors.ts";
import { demoPayee } from "./demo-payee.ts";
import { environmentOf, type Variables } from "./environment.ts";
import type { GivenServers } from "./given-servers.ts";
import { Refusal } from "./refusal.ts";
import type { Addresses } from "./summary.ts";

/** Everything that is known here; each process is given those that it reads. */
export function variables(
  apiPort: number,
  { api, databaseUrl, redisUrl, s3, smtp, identity, cards, secrets }: Addresses,
): Variables {
  return {
    HOST: "127.0.0.1",
    PORT: String(apiPort),
    OPS_PORT: "0",
    PUBLIC_URL: api,
    DATABASE_URL: databaseUrl,
    ...(redisUrl && { REDIS_URL: redisUrl }),
    S3_ENDPOINT_URL: s3.endpoint,
    S3_BUCKET_NAME: s3.bucket,
    S3_ACCESS_KEY: s3.accessKey,
    S3_SECRET_KEY: s3.secretKey,
    S3_PUBLIC_URL: s3.publicUrl,
    PAYEE: JSON.stringify(demoPayee),
    WEBHOOK_ALLOW_PRIVATE: "true",
    BETTER_AUTH_URL: identity.url,
    ...(identity.sign && { DEMO_TOKENS_URL: `${identity.url}/demo-tokens` }),
    BETTER_AUTH_WEBHOOK_SECRET: secrets.webhookSecret,
    ...(cards && {
      PAYMENT_PROVIDER: "yookassa",
      YOOKASSA_API_URL: cards.apiUrl,
      YOOKASSA_SHOP_ID: cards.shopId,
      YOOKASSA_SECRET_KEY: cards.secretKey,
      YOOKASSA_RETURN_URL: process.env.YOOKASSA_RETURN_URL || cards.pageUrl,
    }),
    // Standard Webhooks writes keys in the other base64.
    PAYMENT_WEBHOOK_SECRET: `whsec_${Buffer.from(secrets.paymentSecret, "base64url").toString("base64")}`,
    API_KEY: secrets.apiKey,
    PRINT_ALLOWED_CIDRS: "127.0.0.0/8,::1/128",
    MAIL_LINK_SECRET: `mail-${secrets.webhookSecret}`,
    MAIL_STAFF: "warehouse@example.com",
    SMTP_HOST: smtp.host,
    SMTP_PORT: String(smtp.port),
    // Our own mailbox is on this machine and has no certificate.
    ...(smtp.mailbox && { SMTP_SECURITY: "none", MAIL_PROBE_URL: smtp.mailbox }),
    // Everything has to be down ten seconds after Ctrl-C.
    DRAIN_TIMEOUT_MS: "2000",
  };
}

const local = "http://127.0.0.1";
/** In place of what is only known once it runs. */
const standIn = {
  databaseUrl: "postgresql://127.0.0.1/postgres",
  redisUrl: "redis://127.0.0.1",
  s3: { endpoint: local, bucket: "bucket", accessKey: "key", secretKey: "secret", publicUrl: `${local}/bucket` },
  smtp: { host: "127.0.0.1", port: 25, mailbox: local },
};
const secret = "0".repeat(32);
const emulator = { apiUrl: local, pageUrl: local, shopId: "1", secretKey: secret };
const secrets = {
  ...{
    apiKey: secret,
    webhookSecret: secret,
    paymentSecret: secret,
    yookassaSecret: secret,
    s3AccessKey: secret,
    s3SecretKey: secret,
  },
  ...{ databasePassword: secret, redisPassword: secret },
};

/** Throws a refusal that names each variable which API or workers would refuse, before anything is started for them. */
export function checkVariables(apiPort: number, { identityUrl = local, redis, ...given }: GivenServers): void {
  const cards = given.cards ? undefined : emulator;
  const addresses = {
    api: `${local}:${apiPort}`,
    ...standIn,
    ...given,
    ...(redis && { redisUrl: undefined }),
    identity: { url: identityUrl },
    cards,
    secrets,
  };
  const values = variables(apiPort, addresses);
  const checks = [
    () => loadApiConfig(environmentOf("api", values)),
    () => loadWorkerConfig(environmentOf("worker", values)),
  ];
  const wrong = new Set(checks.flatMap(complaintsOf));
  if (wrong.size === 0) return;
  const lines = [...wrong].join("\n");
  throw new Refusal(`These variables of the environment will not do:\n${lines}\nUnset or mend them, and start again.`);
}

function complaintsOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof StartUpError)) throw error;
    return error.message.split("\n").filter((line) => line.startsWith("  "));
  }
}
