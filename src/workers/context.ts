import type { DataSource } from "typeorm";
import type { JobRun as EngineJobRun, Processor as EngineProcessor } from "../engine/worker.ts";
import type { JobName, JobPayload } from "../jobs/index.ts";
import type { Retention } from "../jobs/retention.ts";
import type { Cache } from "../platform/cache.ts";
import type { Log } from "../platform/logger.ts";
import type { Mailer } from "../platform/mailer.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { ObjectStore } from "../platform/object-store.ts";
import type { CardSettlement } from "../platform/payments/card-provider.ts";
import type { WebhookClient } from "../platform/webhook-client.ts";
import type { Shop } from "../services/documents/kinds/define-kind.ts";
import type { MailRules } from "../services/mail/mail-rules.ts";
import type { MailStatements } from "./mail/mail-statements.ts";

/** The dependencies of processors. `main.ts` builds it once. */
export interface WorkerContext {
  db: DataSource;
  store: ObjectStore;
  /** Content of documents besides data. */
  shop: Shop;
  cache: Cache;
  mailer: Mailer;
  mailStatements: MailStatements;
  mailRules: MailRules;
  /** How long data are kept. */
  retention: Retention;
  webhookClient: WebhookClient;
  /** The card provider; undefined when there is none. */
  cards: CardSettlement | undefined;
  log: Log;
  metrics: Metrics;
}

/** One run of a job of this shop. */
export type JobRun<N extends JobName> = EngineJobRun<JobPayload<N>>;

export type Processor<N extends JobName> = EngineProcessor<JobPayload<N>, WorkerContext>;
