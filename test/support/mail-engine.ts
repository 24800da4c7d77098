import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import type { DataSource } from "typeorm";
import { afterAll, beforeAll } from "vitest";
import { documents } from "../../src/db/dao/documents/documents.ts";
import { Document } from "../../src/db/entities/documents/document.ts";
import { Mail } from "../../src/db/entities/mail/mail.ts";
import { createQueues } from "../../src/engine/bull-queues.ts";
import type { AnyJob } from "../../src/engine/define-job.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { createJobMetrics } from "../../src/engine/metrics.ts";
import { createOutbox } from "../../src/engine/outbox.ts";
import { startRelay } from "../../src/engine/relay.ts";
import { startWorker } from "../../src/engine/start-worker.ts";
import { createTransact } from "../../src/engine/transaction.ts";
import type { MailKindName } from "../../src/jobs/mail-kinds.ts";
import { queues as queueDefinitions, queueNames } from "../../src/jobs/queues.ts";
import { sendMail } from "../../src/jobs/send-mail.ts";
import type { DeliveryProbe } from "../../src/platform/delivery-probe.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMailer } from "../../src/platform/mailer.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { consumerConnection, producerConnection } from "../../src/platform/redis.ts";
import type { MailFault } from "../../src/platform/smtp-replies.ts";
import { businessDay } from "../../src/services/business-day.ts";
import { publicPriceList } from "../../src/services/documents/kinds/index.ts";
import { noMailRules } from "../../src/services/mail/mail-rules.ts";
import { type MailRequest, requestMails } from "../../src/services/mail/mails.ts";
import type { WorkerContext } from "../../src/workers/context.ts";
import { createMailStatements } from "../../src/workers/mail/mail-statements.ts";
import { sendMailProcessor } from "../../src/workers/processors/send-mail.ts";
import { useDatabase } from "./database.ts";
import { redisAddress } from "./redis.ts";
import { defaultRetention } from "./retention.ts";
import { type ScriptedSmtp, startScriptedSmtp } from "./scripted-smtp.ts";

/** So long a mail that broke off is left alone in tests; a dialogue has half of it, also on a busy machine. */
export const graceMs = 2_000;

/** Waits while the server refuses the shop. */
export const holdTimes = { firstMs: 50, mostMs: 400 };

/** Ledger, relay and a worker of the queue `mail` in this process, and a mail server that does as it is told. */
export function useMailEngine({ probe: hasProbe, off = [] }: { probe: boolean; off?: readonly MailKindName[] }) {
  const db = useDatabase();
  const prefix = `test-${randomUUID()}`;
  const log = createLogger(process.env.TEST_LOG_LEVEL ?? "silent", "test");
  const stop = new AbortController();
  const engine = {
    db,
    smtp: undefined as unknown as ScriptedSmtp,
    transact: undefined as unknown as ReturnType<typeof createTransact>,
    /** What the probe is to throw; undefined: it answers. */
    probeError: undefined as Error | undefined,
    /** Promises one mail to an address of its own, and returns its id. */
    async promise(wanted: Partial<MailRequest> = {}) {
      const recipient = `${randomUUID()}@test.example`;
      const origin = { actorId: null, traceId: null };
      const requests = [{ event: randomUUID(), kind: "price-list", recipient, ...wanted } as const];
      const [jobId = ""] = await engine.transact(origin, (tx) => requestMails(tx, requests));
      return (await db.manager.findOneByOrFail(Mail, { jobId })).id;
    },
    /** Why the worker holds all mail back. */
    fault: (): MailFault | undefined => undefined,
    find: (id: string) => db.manager.findOneByOrFail(Mail, { id }),
    async job(mailId: string) {
      const { jobId } = await engine.find(mailId);
      return db.manager.findOneByOrFail(Job, { id: String(jobId) });
    },
  };
  let close = async () => {};

  beforeAll(async () => {
    engine.smtp = await startScriptedSmtp();
    await haveTodaysList(db);
    const producer = producerConnection(redisAddress, log);
    const connection = consumerConnection(redisAddress, log);
    const retry = { ...sendMail.retry, backoffMs: 2, outageMs: 50 };
    const kinds = {
      jobs: { [sendMail.name]: { ...sendMail, retry } as unknown as AnyJob },
      processors: { [sendMail.name]: sendMailProcessor },
    };
    const queues = createQueues(queueNames, producer, prefix, log);
    const outbox = createOutbox(db, queueNames);
    const relay = startRelay({ outbox, queues, log, signal: stop.signal, jobs: kinds.jobs });
    engine.transact = createTransact(db, relay.offer);
    const probe: DeliveryProbe = {
      has(messageId) {
        if (engine.probeError) throw engine.probeError;
        return Promise.resolve(engine.smtp.taken.includes(messageId));
      },
    };
    const from = { name: "Shop", address: "shop@test.example" };
    const server = { host: "127.0.0.1", port: engine.smtp.port, from, security: "none" } as const;
    const mailer = createMailer({ ...server, graceMs, holdTimes, probe: hasProbe ? probe : undefined });
    engine.fault = mailer.fault;
    const store = { publicUrl: (key: string) => `https://files.test/${key}` };
    const shop = { payee: null, publicUrl: store.publicUrl };
    const context = {
      db,
      log,
      mailer,
      mailStatements: createMailStatements(db),
      mailRules: { ...noMailRules, off: new Set(off) },
      retention: defaultRetention,
      store,
      shop,
      metrics: createMetrics(),
    } as unknown as WorkerContext;
    const cutOff = new AbortController();
    const worker = startWorker({
      ...queueDefinitions.mail,
      db,
      log,
      metrics: createJobMetrics(new Registry()),
      queue: "mail",
      worker: "test",
      cutOff: cutOff.signal,
      context,
      relay,
      connection,
      prefix,
      kinds,
    });
    close = async () => {
      stop.abort();
      cutOff.abort();
      await worker.close();
      await relay.done;
      await Promise.all(Object.values(queues.byName).map((queue) => queue.obliterate({ force: true })));
      await queues.close();
      connection.disconnect();
      producer.disconnect();
      mailer.close();
      await engine.smtp.close();
    };
  });

  afterAll(() => close());
  return engine;
}

export type MailEngine = ReturnType<typeof useMailEngine>;

/** What the price list mails link to, so that no worker has to make it. */
export async function haveTodaysList(db: DataSource) {
  const id = randomUUID();
  const list = { ...publicPriceList(businessDay(new Date())), fileName: "list.xlsx", requestedBy: null };
  await documents.insert(db.manager, { id, ...list, sourceHash: null });
  const file = { objectKey: "list.xlsx", contentType: "application/octet-stream", bytes: 1, sha256: "0".repeat(64) };
  await db.manager.update(Document, { id }, { ...file, readyAt: new Date() });
}
