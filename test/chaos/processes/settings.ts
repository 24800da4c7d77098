import { z } from "zod";
import { brokerSettings, cacheSettings, redisOf } from "../../../src/config/redis.ts";

const Settings = z.object({
  DATABASE_URL: z.string(),
  ...brokerSettings,
  ...cacheSettings,
  QUEUE_PREFIX: z.string(),
  S3_ENDPOINT_URL: z.string(),
  S3_BUCKET_NAME: z.string(),
  S3_ACCESS_KEY: z.string(),
  S3_SECRET_KEY: z.string(),
  SMTP_PORT: z.coerce.number(),
  PROBE_URL: z.string(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]),
  PORT: z.coerce.number().default(0),
  /** `<point>:<n>`: the process kills itself when it comes to that point for the n-th time. */
  CRASH_AT: z.string().optional(),
  /** The producer leaves its promises to the sweeps of all relays. */
  ONLY_SWEEP: z.literal("1").optional(),
  /** How long each job takes besides its work. */
  WORK_MS: z.coerce.number().default(0),
  /** Release of this process: 2 has another payload of stock jobs. */
  RELEASE: z.enum(["1", "2"]).default("1"),
});

export type Settings = ReturnType<typeof readSettings>;

/** What the harness has told this process; throws when something is missing. */
export function readSettings() {
  const settings = Settings.parse(process.env);
  return { ...settings, redis: redisOf(settings).broker };
}
