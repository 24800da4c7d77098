import type { EntityManager } from "typeorm";
import type { JobDefinitions } from "./define-job.ts";

/**
 * One run of a job with this payload. It ends in one of three ways: `complete` commits its effect together with its
 * success, `snooze` has it run again later, and a `run` that only returns has succeeded without a result. What it throws
 * decides what becomes of the job: see docs/engine.md.
 */
export interface JobRun<Payload> {
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
   * returns is the job's result. Throws `FencedError`, and nothing happened, when another worker holds the job now. A job
   * with unfinished children waits for them before it is over.
   */
  complete(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /** Commits an effect without ending the job, under the same condition and while nobody has cancelled it. */
  commit(effect: (tx: EntityManager) => Promise<unknown>): Promise<void>;
  /**
   * Ends this run and has the job run again after so long, under the same condition; costs no attempt. Until then the
   * job waits in Postgres, where it costs nothing. Nothing may follow in this run.
   */
  snooze(delayMs: number): Promise<void>;
  /** Says how far it is, in whatever it counts; `total` is null while it is not known. Costs nothing, however often. */
  progress(done: number, total: number | null): void;
}

/** The work of one kind of job; `Context` is what the application hands to all of its processors. */
export interface Processor<Payload, Context> {
  run(job: JobRun<Payload>, context: Context): Promise<void>;
  /**
   * What is left to do when the success is committed: dropping caches, removing what was only needed until then.
   * Runs at least once, also when the worker died in between, so it must bear repetition.
   */
  onSucceeded?(payload: Payload, context: Context): Promise<void>;
}

/** What a worker can do: definitions, and the processor of each. */
export interface Kinds<Context> {
  jobs: JobDefinitions;
  // biome-ignore lint/suspicious/noExplicitAny: payloads of many types; `readPayload` has checked each.
  processors: Readonly<Record<string, Processor<any, Context>>>;
}
