import type { EntityManager } from "typeorm";
import type { JobDefinitions } from "./define-job.ts";
import type { HeldClaim } from "./ledger.ts";

/**
 * One run of a job with this payload. It ends in one of three ways: `complete` commits its effect together with its
 * success, `snooze` has it run again later, and a `run` that only returns has succeeded without a result. The error
 * that it throws decides what happens to the job: see docs/engine.md.
 */
export interface JobRun<Payload> {
  id: string;
  /** X-Request-Id of the request that caused it; null: none did. */
  request: string | null;
  payload: Payload;
  /**
   * Fires when the job takes too long, is cancelled, or was claimed by another worker, and after the grace period of a
   * shutdown. The run then has half a second to end by itself.
   */
  signal: AbortSignal;
  /**
   * Commits the effect together with the job's success, once and only while this worker holds the job; what `effect`
   * returns is the job's result. Throws `FencedError`, and nothing happened, when another worker holds the job now. A
   * job with unfinished children waits for them before it is over.
   */
  complete(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /** Commits an effect without ending the job, under the same condition and unless it is cancelled. */
  commit(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /**
   * Ends this run and has the job run again after this long, under the same condition; costs no attempt. Until then the
   * job waits in Postgres, where it costs nothing. Nothing may follow in this run.
   */
  snooze(delayMs: number): Promise<void>;
  /**
   * Reports the progress, in the unit that the job counts; `total` is null while unknown. Free, however often called.
   */
  progress(done: number, total: number | null): void;
}

/** The work of one kind of job; `Context` is what the application passes to all of its processors. */
export interface Processor<Payload, Context> {
  run(job: JobRun<Payload>, context: Context): Promise<void>;
  /**
   * Work after the job has succeeded, so after its last part: invalidates caches, removes temporary files. Tried once,
   * and again when BullMQ hands the job out again, so it must be repeatable; an error is logged and not repeated.
   */
  onSucceeded?(payload: Payload, context: Context): Promise<void>;
}

/** The jobs of a worker: definitions, and the processor of each. */
export interface Kinds<Context> {
  jobs: JobDefinitions;
  // biome-ignore lint/suspicious/noExplicitAny: payloads of many types; `readPayload` has checked each.
  processors: Readonly<Record<string, Processor<any, Context>>>;
}

/** How a run ends or commits by a statement that it shares with other runs; the statement checks the fencing token. */
export interface SharedWrites {
  /**
   * As `JobRun.complete`: `write` ends the job of this claim with its effect, and returns whether the claim still held.
   * For jobs without children only: `write` does not look for them.
   */
  complete(write: (claim: HeldClaim) => Promise<boolean>): Promise<void>;
  /** As `JobRun.commit`: `write` has to check the claim. */
  commit<Result>(write: (claim: HeldClaim) => Promise<Result>): Promise<Result>;
}

const writes = new WeakMap<object, SharedWrites>();

/** Registers how this run shares its statements. */
export function allowSharedWrites(run: JobRun<unknown>, shared: SharedWrites): void {
  writes.set(run, shared);
}

/**
 * For a processor whose statements serve many runs at once (`claimHolds` is their condition); throws for other objects.
 */
export function sharedWrites(run: JobRun<unknown>): SharedWrites {
  const shared = writes.get(run);
  if (!shared) throw new Error("This is not the run of a job");
  return shared;
}
