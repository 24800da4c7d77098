import { randomBytes } from "node:crypto";
import { readJson, writeJson } from "./json-file.ts";

const names = [
  "apiKey",
  "webhookSecret",
  "paymentSecret",
  "yookassaSecret",
  "s3AccessKey",
  "s3SecretKey",
  "databasePassword",
  "redisPassword",
] as const;

export type Secrets = Record<(typeof names)[number], string>;

/** Gives the stack's own keys; makes them by chance the first time. */
export function readSecrets(file: string): Secrets {
  const kept = (readJson(file) ?? {}) as Partial<Secrets>;
  const secrets = Object.fromEntries(names.map((name) => [name, kept[name] ?? randomBytes(24).toString("base64url")]));
  // Not again at each start: the passwords of data that are there must outlive a full disk and a lost power supply.
  if (names.some((name) => !kept[name])) writeJson(file, secrets);
  return secrets as Secrets;
}
