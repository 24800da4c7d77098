import { createServer } from "node:http";
import { Queue, Worker } from "bullmq";
import { connectDatabase } from "../../src/db/data-source.ts";
import { createOutbox, enqueue } from "../../src/db/outbox.ts";
import { keepBooks } from "../../src/db/reconcile.ts";
import { createTransact } from "../../src/db/transaction.ts";
import { queueNames } from "../../src/jobs/queues.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { createQueues } from "../../src/platform/queues.ts";
import { startReconciler } from "../../src/platform/reconciler.ts";
import { consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import { startRelay } from "../../src/platform/relay.ts";
import { startWorker } from "../../src/workers/start-worker.ts";
import {
  contextOf,
  createNoteMailer,
  definitionOf,
  jobs,
  type Kind,
  moveStockProcessor,
  noteOf,
  sendNoteProcessor,
} from "./work.ts";

// One process of the harness: `node process.ts <variant> producer|worker`. `ours` is the product's own runtime; `naive` is
// what people write first: commit, then queue.add with a fixed id, and a worker that just does it.

const [, , variant, role] = process.argv;
const { DATABASE_URL = "", REDIS_URL = "", PORT = "0", SMTP_PORT = "0", PROBE_URL = "" } = process.env;
const sink = { smtpPort: Number(SMTP_PORT), probeUrl: PROBE_URL };
/** Short, so that a minute sees many take-overs. */
const lockMs = 4_000;
const concurrency = 5;

const log = createLogger((process.env.CHAOS_LOG_LEVEL ?? "silent") as "silent", `chaos-${role}`);
process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", (error) => {
  log.error({ err: error }, "uncaught");
  process.exit(1);
});

const db = await connectDatabase(DATABASE_URL, 10);
await (variant === "naive" ? runNaive() : runOurs());
process.send?.("ready");

async function runOurs() {
  const queues = createQueues(producerConnection(REDIS_URL, log), "chaos", log);
  const signal = new AbortController().signal;
  const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal, jobs });
  void startReconciler({ asOnlyOne: keepBooks(db), queues, wake: relay.wake, log, signal });
  if (role === "producer") {
    const transact = createTransact(db, relay.offer);
    return serve(async (n, kind) => {
      await transact({ actorId: null, traceId: null }, async (tx) => {
        const [row] = await tx.query("INSERT INTO chaos_promise VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING n", [
          n,
          kind,
        ]);
        if (row) await enqueue(tx, definitionOf(kind), { n });
      });
    });
  }
  const processors = { "move-stock": moveStockProcessor, "send-note": sendNoteProcessor(sink) };
  const context = contextOf({ db, log, metrics: createMetrics() });
  for (const queue of ["upkeep", "mail"] as const) {
    startWorker({
      queue,
      worker: `chaos-${process.pid}`,
      cutOff: signal,
      context,
      relay,
      connection: consumerConnection(REDIS_URL, log),
      prefix: "chaos",
      concurrency,
      lockMs,
      kinds: { jobs, processors },
    });
  }
}

async function runNaive() {
  const connection = role === "producer" ? producerConnection(REDIS_URL, log) : consumerConnection(REDIS_URL, log);
  if (role === "producer") {
    const queue = new Queue("naive", { connection, prefix: "chaos" });
    queue.on("error", () => undefined);
    return serve(async (n, kind) => {
      const [row] = await db.query("INSERT INTO chaos_promise VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING n", [
        n,
        kind,
      ]);
      const opts = { jobId: `job-${n}`, attempts: 8, backoff: 200, removeOnComplete: true };
      if (row) await queue.add(kind, { n }, opts);
    });
  }
  const mailer = createNoteMailer(sink.smtpPort);
  const work = async ({ name, data: { n } }: { name: string; data: { n: number } }) => {
    if (name === "mail") return void (await mailer.send(noteOf(n), { signal: AbortSignal.timeout(20_000) }));
    await db.query("INSERT INTO chaos_movement VALUES ($1)", [n]);
    await db.query("UPDATE chaos_stock SET quantity = quantity - 1");
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const worker = new Worker("naive", work, {
    connection,
    prefix: "chaos",
    concurrency: 2 * concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: 1_000,
  });
  worker.on("error", () => undefined);
}

/** Takes orders as an API does; whoever gets no answer asks again. */
async function serve(promise: (n: number, kind: Kind) => Promise<void>) {
  const server = createServer((req, res) => {
    const [, n = "", kind = ""] = /^\/(\d+)\/(stock|mail)$/.exec(req.url ?? "") ?? [];
    promise(Number(n), kind as Kind).then(
      () => res.writeHead(200).end(),
      (error: unknown) => {
        log.warn({ err: error }, "not promised");
        res.writeHead(503).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(Number(PORT), "127.0.0.1", resolve));
}
