import { once } from "node:events";
import { Queue } from "bullmq";
import { connectDatabase } from "../../../src/db/data-source.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { isPostgresUnavailable } from "../../../src/platform/postgres/errors.ts";
import { producerConnection } from "../../../src/platform/redis.ts";
import { isRedisTrouble } from "../../../src/platform/redis-errors.ts";
import { shutdownSignal } from "../../../src/platform/shutdown.ts";
import { serveOrders } from "./order-server.ts";
import { readSettings } from "./settings.ts";

// What people write first: commit, then add to the queue under a fixed id; a client without an answer asks again. It has to
// fail in every run, or the harness sees nothing.

const settings = readSettings();
const signal = shutdownSignal();
process.on("disconnect", () => process.exit(1));
const db = await connectDatabase(settings.DATABASE_URL);
const connection = producerConnection(settings.redis, createLogger(settings.LOG_LEVEL, "naive-producer"));
const queue = new Queue("naive", { connection, prefix: settings.QUEUE_PREFIX });
queue.on("error", () => undefined);

const server = await serveOrders(
  settings.PORT,
  async ({ key, kind, payload }) => {
    await db.query("INSERT INTO naive_order (key) VALUES ($1) ON CONFLICT DO NOTHING", [key]);
    const retries = { attempts: 8, backoff: { type: "exponential", delay: 300 } };
    await queue.add(kind, payload, { jobId: `job-${key}`, removeOnComplete: true, ...retries });
    return key;
  },
  (error) => isPostgresUnavailable(error) || isRedisTrouble(error),
);
process.send?.("ready");
if (!signal.aborted) await once(signal, "abort");
server.closeAllConnections();
process.exit(0);
