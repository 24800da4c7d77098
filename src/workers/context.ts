import type { DataSource, EntityManager } from "typeorm";
import type { HeldClaim } from "../db/ledger.ts";
import type { JobKinds, JobName, JobPayload } from "../jobs/index.ts";
import type { Retention } from "../jobs/retention.ts";
import type { Cache } from "../platform/cache.ts";
import type { Log } from "../platform/logger.ts";
import type { Mailer } from "../platform/mailer.ts";
import type { Metrics } from "../platform/metrics.ts";
import type { ObjectStore } from "../platform/object-store.ts";
import type { Poster } from "../platform/outbound-post.ts";
import type { Shop } from "../services/document-kinds/define-kind.ts";
import type { MailRules } from "../services/mail-rules.ts";
import type { MailBooks } from "./mail/mail-books.ts";

/** What a processor may use. `main.ts` builds it once. */
export interface WorkerContext {
  db: DataSource;
  store: ObjectStore;
  /** What is on documents besides data. */
  shop: Shop;
  cache: Cache;
  mailer: Mailer;
  mailBooks: MailBooks;
  mailRules: MailRules;
  /** How long things are kept. */
  retention: Retention;
  poster: Poster;
  log: Log;
  metrics: Metrics;
}

/** One run of a job with this payload. */
export interface RunOf<Payload> {
  id: string;
  /** X-Request-Id of the request that wanted it; null for one that nobody asked for. */
  request: string | null;
  payload: Payload;
  /**
   * Fires when the job takes too long, is cancelled, or was taken by another worker, and past the grace period of a
   * shutdown. The run is then given half a second to end by itself.
   */
  signal: AbortSignal;
  /**
   * Commits the effect together with the job's success, once and only while this worker holds the job; what `effect`
   * returns is the job's result. Throws `FencedError`, and nothing happened, when the job is another worker's now. A job
   * with unfinished children waits for them before it is over.
   */
  complete(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /**
   * As `complete`, by a statement that this run shares with others: it ends the job of this claim together with its
   * effect, and says whether the claim still held.
   */
  completeBy(write: (claim: HeldClaim) => Promise<boolean>): Promise<void>;
  /** Commits an effect without ending the job, under the same condition and while nobody has cancelled it. */
  commit(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /** As `commit`, by a statement that this run shares with others and that keeps the condition itself. */
  commitBy<Result>(write: (claim: HeldClaim) => Promise<Result>): Promise<Result>;
  /**
   * Ends this run and has the job run again after so long, under the same condition; costs no attempt. Until then the
   * job waits in Postgres, where it costs nothing. Nothing may follow in this run.
   */
  defer(delayMs: number): Promise<void>;
  /** Says how far it is, in whatever it counts; `total` is null while nobody knows. Costs nothing, however often. */
  progress(done: number, total: number | null): void;
}

/** One run of a job of ours. */
export type JobRun<N extends JobName> = RunOf<JobPayload<N>>;

export interface ProcessorOf<Payload> {
  /** The work. When it returns without `complete`, the job has succeeded without a result. */
  run(job: RunOf<Payload>, context: WorkerContext): Promise<void>;
  /**
   * What is left to do when the success is committed: dropping caches, removing what was only needed until then.
   * Runs at least once, also when the worker died in between, so it has to bear repeating.
   */
  afterwards?(payload: Payload, context: WorkerContext): Promise<void>;
}

export type Processor<N extends JobName> = ProcessorOf<JobPayload<N>>;

/** What a worker can do: definitions, and the processor of each. */
export interface Kinds {
  jobs: JobKinds;
  // biome-ignore lint/suspicious/noExplicitAny: payloads of many types; `readPayload` has checked each.
  processors: Readonly<Record<string, ProcessorOf<any>>>;
}
