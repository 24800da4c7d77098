import { once } from "node:events";
import { type Job, Worker } from "bullmq";
import { connectDatabase } from "../../../src/db/data-source.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { consumerConnection } from "../../../src/platform/redis.ts";
import { shutdownSignal } from "../../../src/platform/shutdown.ts";
import { createChaosMailer, mailOf } from "./chaos-mailer.ts";
import { kindNames, type MailPayload, type StockPayload } from "./kinds.ts";
import { move } from "./processors.ts";
import { readSettings } from "./settings.ts";

// No ledger: whatever BullMQ hands out is done, without a look whether it was done before.

const settings = readSettings();
const signal = shutdownSignal();
process.on("disconnect", () => process.exit(1));
const db = await connectDatabase(settings.DATABASE_URL);
const mailer = createChaosMailer(settings.SMTP_PORT);
const work = async ({ name, data }: Job<StockPayload | MailPayload>) => {
  if (name === kindNames.stock) await db.transaction((tx) => move(tx, data as StockPayload, null));
  else await mailer.send(mailOf(data as MailPayload), { signal: AbortSignal.timeout(30_000) });
};
const worker = new Worker("naive", work, {
  connection: consumerConnection(settings.redis, createLogger(settings.LOG_LEVEL, "naive-worker")),
  prefix: settings.QUEUE_PREFIX,
  concurrency: 25,
  lockDuration: 5_000,
  stalledInterval: 5_000,
  maxStalledCount: 1_000,
});
worker.on("error", () => undefined);
process.send?.("ready");
if (!signal.aborted) await once(signal, "abort");
process.exit(0);
