import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "./stack/json-file.ts";
import { paths, root } from "./stack/paths.ts";
import { readSecrets } from "./stack/secrets.ts";
import type { StackFile } from "./stack/summary.ts";

// `npm run tcf -- …`: the stack that `npm start` runs, else what the environment and `.env` say.

const stack = readStack();
const file = join(root, ".env");
const settings = !stack && existsSync(file) ? [`--env-file=${file}`] : [];
const args = ["--import", "tsx", ...settings, join(root, "src/cli/main.ts"), ...process.argv.slice(2)];
const env = stack ? environmentOf(stack) : process.env;
process.exit(spawnSync(process.execPath, args, { env, stdio: "inherit" }).status ?? 1);

/** That of another user is none of ours. */
function readStack(): StackFile | undefined {
  try {
    return readJson(paths.stack) as StackFile | undefined;
  } catch {
    return undefined;
  }
}

/** Servers that stand in for ours have their keys in this process's environment already. */
function environmentOf({ databaseUrl, databaseSettings, redisUrl, s3, smtp, mailbox }: StackFile) {
  const { s3AccessKey, s3SecretKey } = readSecrets(paths.secrets);
  const { identity } = readJson(paths.ports) as { identity: number };
  const server = new URL(smtp);
  return {
    S3_ACCESS_KEY: s3AccessKey,
    S3_SECRET_KEY: s3SecretKey,
    ...process.env,
    ENVIRONMENT: "local",
    DATABASE_URL: databaseUrl,
    ...databaseSettings,
    ...(redisUrl && { REDIS_URL: redisUrl }),
    S3_ENDPOINT_URL: s3.endpoint,
    S3_BUCKET_NAME: s3.bucket,
    S3_PUBLIC_URL: s3.publicUrl,
    SMTP_HOST: server.hostname,
    SMTP_PORT: server.port,
    ...(mailbox && { SMTP_SECURITY: "none" }),
    DEMO_TOKENS_URL: `http://127.0.0.1:${identity}/demo-tokens`,
  };
}
