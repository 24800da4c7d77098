import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import { validate as isUuid } from "uuid";
import {
  type Claim,
  claimJob,
  completeJob,
  type FailureCost,
  FencedError,
  findJob,
  holdJob,
  releaseJob,
  renewLease,
} from "../db/ledger.ts";
import { createTransact } from "../db/transaction.ts";
import type { QueuedData } from "../jobs/dispatch.ts";
import { isJobName, type JobPayload, jobs } from "../jobs/index.ts";
import { type QueueName, queues } from "../jobs/queues.ts";
import { costOf, DeadlineError, describeError, PermanentError } from "./classify-error.ts";
import type { JobRun, Processor, WorkerContext } from "./context.ts";
import { processors } from "./processors/index.ts";

/** Wait before a run that was cut off by an outage; the outage itself costs no attempt. */
const outageRetryMs = 2_000;
/** Wait before a job that only newer code knows is offered again. */
const unknownKindRetryMs = 30_000;

/** What tidying up may take; a worker that stops is not held up by it for longer. */
const tidyUpMs = 5_000;

export interface Consumer {
  queue: QueueName;
  /** Names this process in the ledger. */
  worker: string;
  /** Fires past the grace period of a shutdown. */
  cutOff: AbortSignal;
  context: WorkerContext;
  /** Wakes the relay after a run that promised further jobs. */
  nudge: () => void;
}

/**
 * Runs one job that BullMQ has handed out: claims it in the ledger, keeps the claim alive, runs its processor and
 * writes down how it ended. What it throws tells BullMQ whether to try again and when.
 */
export async function runJob(consumer: Consumer, bull: Job<QueuedData>, token: string, lost: AbortSignal) {
  const { context, queue, worker } = consumer;
  // Somebody may have put it there by hand.
  if (!isUuid(bull.data?.id)) throw new UnrecoverableError("This is no promised job: its data has no ledger id");
  const result = await claimJob(context.db, bull.data.id, worker, queues[queue].lockMs).catch(
    putBack(consumer, bull, token),
  );
  if (result.outcome === "finished") {
    if (result.job?.state === "succeeded") await tidyUp(context, result.job);
    // The board must not show as completed what the ledger calls failed.
    if (result.job?.state === "failed") throw new UnrecoverableError(result.job.lastError?.message ?? "It has failed");
    return "finished before";
  }
  if (result.outcome === "held") return delay(bull, token, result.waitMs + 100);

  const { claim } = result;
  const log = { job: claim.id, kind: claim.kind, epoch: claim.epoch, request: claim.traceId };
  const began = performance.now();
  const outcome = await attempt(consumer, claim, lost);
  const ms = Math.round(performance.now() - began);

  context.metrics.jobRun.observe({ queue, kind: claim.kind }, ms / 1_000);
  context.metrics.jobsFinished.inc({ queue, kind: claim.kind, outcome: outcome.state });
  if (outcome.state === "succeeded") {
    context.log.info({ ...log, ms }, "job succeeded");
    await tidyUp(context, claim);
    return "succeeded";
  }
  if (outcome.state === "fenced") {
    // It may have been ourselves: the commit went through, and only its answer was lost.
    const job = await findJob(context.db.manager, claim.id).catch(() => null);
    if (job?.state === "succeeded") await tidyUp(context, job);
  }
  report(context, { ...log, ms }, outcome);
  return answer(bull, token, outcome);
}

type Outcome =
  | { state: "succeeded" }
  /** Over for good. */
  | { state: "failed"; error: unknown }
  /** Counts as a failure and will be tried again by BullMQ's back-off. */
  | { state: "retried"; error: unknown }
  /** Costs no attempt: an outage, or a kind of job that this code does not know yet. */
  | { state: "postponed"; error: unknown; waitMs: number }
  /** Given back because this process stops. */
  | { state: "handed-back"; error: unknown }
  /** Another worker has it now. */
  | { state: "fenced"; error: unknown };

function report({ log }: WorkerContext, line: object, { state, error }: Exclude<Outcome, { state: "succeeded" }>) {
  if (costOf(error) === "all") {
    // The input was at fault, and whoever sent it can read why: a sentence will do.
    return log.warn({ ...line, reason: describeError(error).message }, `job ${state}`);
  }
  log[state === "failed" ? "error" : "warn"]({ ...line, err: error }, `job ${state}`);
}

async function attempt(consumer: Consumer, claim: Claim, lost: AbortSignal): Promise<Outcome> {
  const { context, queue } = consumer;
  const finish = async (cost: FailureCost, error: unknown, otherwise: Outcome): Promise<Outcome> => {
    // A shutdown is no fault of the job that anybody should read about.
    const shown = otherwise.state === "handed-back" ? null : describeError(error);
    const state = await releaseJob(context.db, claim, cost, shown).catch(() => "unwritten" as const);
    // What the ledger does not know must not count with BullMQ either: the job is offered again when its lease is over.
    if (state === "unwritten") return { state: "postponed", error, waitMs: queues[queue].lockMs };
    if (state === undefined) return { state: "fenced", error };
    return state === "failed" ? { state, error } : otherwise;
  };

  if (claim.crashes > claim.maxCrashes) {
    const error = new PermanentError(`Its worker died ${claim.crashes} times while it ran; it is not tried again`);
    return finish("all", error, { state: "failed", error });
  }
  if (!isJobName(claim.kind) || claim.payloadVersion > jobs[claim.kind].version) {
    const error = new Error(`No processor here for '${claim.kind}' version ${claim.payloadVersion}`);
    return finish("none", error, { state: "postponed", error, waitMs: unknownKindRetryMs });
  }

  const definition = jobs[claim.kind];
  const fenced = new AbortController();
  const beat = setInterval(() => {
    renewLease(context.db, claim, queues[queue].lockMs).then(
      (held) => held || fenced.abort(new FencedError(`Job '${claim.id}' is held by another worker since`)),
      () => undefined,
    );
  }, queues[queue].lockMs / 3);
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort(new DeadlineError(`It took longer than ${definition.timeoutMs / 1_000} s`));
  }, definition.timeoutMs);
  const signal = AbortSignal.any([consumer.cutOff, lost, fenced.signal, deadline.signal]);

  try {
    await run(consumer, claim, signal);
    return { state: "succeeded" };
  } catch (error) {
    if (error instanceof FencedError || fenced.signal.aborted) return { state: "fenced", error };
    if (consumer.cutOff.aborted || lost.aborted) return await finish("none", error, { state: "handed-back", error });
    const cause = deadline.signal.aborted ? deadline.signal.reason : error;
    const cost = costOf(cause);
    if (cost === "none") return await finish("none", cause, { state: "postponed", error, waitMs: outageRetryMs });
    return await finish(cost, cause, { state: "retried", error: cause });
  } finally {
    clearInterval(beat);
    clearTimeout(timer);
  }
}

async function run(consumer: Consumer, claim: Claim, signal: AbortSignal) {
  const { context, nudge } = consumer;
  const kind = claim.kind as keyof typeof jobs;
  const payload = jobs[kind].payload.parse(claim.payload) as JobPayload<typeof kind>;
  const transact = createTransact(context.db, nudge);
  const origin = { actorId: null, traceId: claim.traceId };
  let completed = false;
  const complete = async (effect: Parameters<JobRun<typeof kind>["complete"]>[0]) => {
    signal.throwIfAborted();
    await transact(origin, async (tx) => completeJob(tx, claim, await effect(tx)));
    completed = true;
  };
  const commit: JobRun<typeof kind>["commit"] = async (effect) => {
    signal.throwIfAborted();
    await transact(origin, async (tx) => {
      await holdJob(tx, claim);
      await effect(tx);
    });
  };

  const { run: process } = processors[kind] as Processor<typeof kind>;
  await unlessAborted(process({ id: claim.id, payload, signal, complete, commit }, context), signal).catch(
    (error: unknown) => {
      // Its effect is committed, so it has succeeded whatever came after.
      if (!completed) throw error;
      context.log.warn({ err: error, job: claim.id, kind }, "job succeeded, but went wrong after that");
    },
  );
  if (!completed) await complete(async () => undefined);
}

/** The job has succeeded whatever happens here. */
async function tidyUp(context: WorkerContext, { id, kind, payload }: Pick<Claim, "id" | "kind" | "payload">) {
  if (!isJobName(kind)) return;
  const { afterwards } = processors[kind] as Processor<typeof kind>;
  try {
    const work = afterwards?.(jobs[kind].payload.parse(payload), context) ?? Promise.resolve();
    await unlessAborted(work, AbortSignal.timeout(tidyUpMs));
  } catch (error) {
    context.log.warn({ err: error, job: id, kind }, "job succeeded, but was not tidied up after");
  }
}

/**
 * Lets go of work that is aborted, even when it does not look at its signal: an encoder in its thread cannot be
 * stopped. What it still does is harmless: by then the job is not running in its name any more, so it cannot complete it.
 */
async function unlessAborted(work: Promise<void>, signal: AbortSignal) {
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  work.catch(() => undefined);
  await Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", abort));
}

function answer(bull: Job<QueuedData>, token: string, outcome: Exclude<Outcome, { state: "succeeded" }>) {
  const message = describeError(outcome.error).message;
  switch (outcome.state) {
    case "failed":
      throw new UnrecoverableError(message);
    case "retried":
      throw new Error(message);
    case "postponed":
      return delay(bull, token, outcome.waitMs);
    case "handed-back":
      return handBack(bull, token);
    case "fenced":
      return "another worker has it";
  }
}

async function delay(bull: Job<QueuedData>, token: string, ms: number): Promise<never> {
  await bull.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

async function handBack(bull: Job<QueuedData>, token: string): Promise<never> {
  await bull.moveToWait(token);
  throw new WaitingError();
}

/** When Postgres cannot even be asked for the job, it goes back and costs no attempt. */
function putBack({ context }: Consumer, bull: Job<QueuedData>, token: string) {
  return (error: unknown) => {
    context.log.warn({ err: error, queuedJob: bull.id }, "job could not be claimed; it is put back");
    return delay(bull, token, outageRetryMs);
  };
}
