import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import type { DataSource } from "typeorm";
import { validate as isUuid } from "uuid";
import { PermanentError } from "../errors.ts";
import { followSignals, raceWithAbort } from "../platform/abort.ts";
import { describeError } from "../platform/describe-error.ts";
import type { Log } from "../platform/logger.ts";
import { annotate, isTracing, type Place, traced, tracedUntil } from "../platform/tracing.ts";
import type { Claims, KeptClaim } from "./claims.ts";
import { costOf, DeadlineError, endOf } from "./classify-error.ts";
import { type AnyJob, readPayload } from "./define-job.ts";
import type { QueuedData } from "./dispatch.ts";
import {
  CancelledError,
  type Claim,
  completeJob,
  type DoneState,
  FencedError,
  fenced,
  findJob,
  lockClaim,
  type Release,
  releaseJob,
  snoozeJob,
} from "./ledger.ts";
import type { JobMetrics } from "./metrics.ts";
import type { JobRun, Kinds } from "./processor.ts";
import { allowSharedWrites } from "./processor.ts";
import type { Relay } from "./relay.ts";
import type { Throughput } from "./scaling/throughput.ts";
import { createTransact, type Transact } from "./transaction.ts";

/** Wait before the next try when Postgres did not answer the claim. */
const outageRetryMs = 2_000;
/** Wait before a job that only newer code knows is offered again. */
const unknownKindRetryMs = 30_000;
/** Time limit of `onSucceeded`; a worker that stops waits no longer for it. */
const onSucceededMs = 5_000;

export interface Consumer<Context> {
  queue: string;
  /** How long a silent worker keeps a job. */
  lockMs: number;
  db: DataSource;
  log: Log;
  metrics: JobMetrics;
  claims: Claims;
  /** Fires after the grace period of a shutdown. */
  cutOff: AbortSignal;
  /** The services that processors may use. */
  context: Context;
  /** Publishes the jobs that runs have enqueued. */
  relay: Pick<Relay, "offer" | "wake">;
  kinds: Kinds<Context>;
  /** Called with the duration of each run; absent: these workers are not scaled. */
  throughput?: Pick<Throughput, "ran"> | undefined;
}

/**
 * Runs one job that BullMQ has delivered: claims it in the ledger, keeps the claim alive, runs its processor and
 * records the outcome. The error that it throws tells BullMQ whether and when to retry.
 */
export async function runJob<Context>(consumer: Consumer<Context>, bull: Job<QueuedData>, token: string) {
  const { claims } = consumer;
  // A person may have added it by hand.
  if (!isUuid(bull.data?.id)) throw new UnrecoverableError("This job was not enqueued: its data has no ledger id");
  const result = await claims.claim(bull.data.id).catch(putBack(consumer, bull, token));
  if (result.outcome === "finished") {
    if (result.job?.state === "succeeded") await finishUp(consumer, result.job);
    // The board must not show a job as completed that the ledger calls failed.
    if (result.job?.state === "failed") throw new UnrecoverableError(result.job.lastError?.message ?? "It has failed");
    return "finished before";
  }
  if (result.outcome === "held") return delay(bull, token, result.waitMs + 100);
  return runClaimed(consumer, bull, token, result.claim);
}

async function runClaimed<Context>(consumer: Consumer<Context>, bull: Job<QueuedData>, token: string, claim: Claim) {
  const { db, log, metrics, queue } = consumer;
  const line = { job: claim.id, kind: claim.kind, epoch: claim.epoch, request: claim.traceId };
  if (bull.attemptsStarted === 1 && bull.processedOn)
    metrics.wait.observe({ queue, kind: claim.kind }, Math.max(0, bull.processedOn - bull.timestamp) / 1_000);
  const began = performance.now();
  const outcome = await inSlot(consumer, bull, claim);
  const seconds = (performance.now() - began) / 1_000;
  const ms = Math.round(seconds * 1_000);

  consumer.throughput?.ran(queue, seconds, isCompletion[outcome.state]);
  metrics.run.observe({ queue, kind: claim.kind }, ms / 1_000);
  metrics.finished.inc({ queue, kind: claim.kind, outcome: outcome.state });
  // Its group has room for the next one.
  if (claim.groupKey !== null) consumer.relay.wake();
  if (outcome.state === "succeeded") {
    log.info({ ...line, ms }, outcome.job === "waiting" ? "job waits for its children" : "job succeeded");
    // One that waits for its children is handed out again when it has succeeded.
    if (outcome.job === "succeeded") await finishUp(consumer, claim);
    return outcome.job;
  }
  if (outcome.state === "snoozed") {
    log.debug({ ...line, ms }, "job snoozed");
    return "snoozed";
  }
  if (outcome.state === "fenced") {
    // This worker may have ended it itself: the commit succeeded, and only its answer was lost.
    const job = await findJob(db.manager, claim.id).catch(() => null);
    if (job?.state === "succeeded") await finishUp(consumer, job);
  }
  report(log, { ...line, ms }, outcome);
  return answer(bull, token, outcome);
}

/** Runs an attempt and counts it as a running job. */
async function inSlot<Context>(consumer: Consumer<Context>, bull: Job<QueuedData>, claim: Claim): Promise<Outcome> {
  const { queue, metrics } = consumer;
  const run = () => attempt(consumer, claim);
  metrics.busySlots.inc({ queue });
  try {
    return await (isTracing() ? tracedRun(bull, queue, claim, run) : run());
  } finally {
    metrics.busySlots.dec({ queue });
  }
}

/** The first run belongs to the trace of its request; repeats, and runs that are numerous, only link to it. */
function tracedRun(bull: Job<QueuedData>, queue: string, claim: Claim, run: () => Promise<Outcome>) {
  const id = claim.traceId ?? claim.id;
  const isFirst = claim.epoch === 1 && claim.parentId === null;
  const attributes = {
    "messaging.destination.name": queue,
    "messaging.message.id": claim.id,
    "job.epoch": claim.epoch,
  };
  const begins: Place = claim.traceId === null ? { begins: id } : { continues: id };
  const place: Place = isFirst ? begins : { follows: id };
  if (isFirst && claim.traceId !== null && bull.processedOn !== undefined)
    tracedUntil(bull.processedOn, `${queue} queued`, {
      kind: "producer",
      place,
      attributes,
      startTime: bull.timestamp,
    });
  return traced(claim.kind, { kind: "consumer", place, attributes }, async () => {
    const outcome = await run();
    annotate({ "job.outcome": outcome.state });
    return outcome;
  });
}

/** For each outcome, whether such a run tells how long a job takes; the others were cut short. */
export const isCompletion: Readonly<Record<Outcome["state"], boolean>> = {
  succeeded: true,
  failed: true,
  unknown: true,
  retried: true,
  snoozed: false,
  cancelled: false,
  rescheduled: false,
  interrupted: false,
  fenced: false,
};

type Outcome =
  /** Its own work is done; the job itself may wait for its children. */
  | { state: "succeeded"; job: DoneState }
  /** Its processor has it run later; enqueued again already. */
  | { state: "snoozed" }
  /** Over for good. */
  | { state: "failed" | "unknown"; error: unknown }
  /** Over, because a person cancelled it. */
  | { state: "cancelled"; error: unknown }
  /** Counts as a failure; BullMQ retries it after its back-off. */
  | { state: "retried"; error: unknown }
  /** Costs no attempt: an outage, or a kind of job that this code does not know yet. */
  | { state: "rescheduled"; error: unknown; waitMs: number }
  /** Released because this process stops. */
  | { state: "interrupted"; error: unknown }
  /** Another worker has it now. */
  | { state: "fenced"; error: unknown };

/** An unsuccessful run. */
type UnsuccessfulOutcome = Exclude<Outcome, { state: "succeeded" | "snoozed" }>;

function report(log: Log, line: object, { state, error }: UnsuccessfulOutcome) {
  if (state === "cancelled" || costOf(error) === "all") {
    // The input was at fault or a person cancelled it, and a sentence explains it well enough.
    return log.warn({ ...line, reason: describeError(error).message }, `job ${state}`);
  }
  log[state === "failed" ? "error" : "warn"]({ ...line, err: error }, `job ${state}`);
}

async function attempt<Context>(consumer: Consumer<Context>, claim: Claim): Promise<Outcome> {
  const { kinds, cutOff } = consumer;
  const definition = kinds.jobs[claim.kind];
  if (claim.crashes > claim.maxCrashes) {
    const error = new PermanentError(`Its worker died ${claim.crashes} times while it ran; it is not retried`);
    return writeDown(consumer, claim, { release: endOf(error), otherwise: { state: "failed", error } });
  }
  if (!definition || claim.payloadVersion > definition.version) {
    const error = new Error(`No processor here for '${claim.kind}' version ${claim.payloadVersion}`);
    const release: Release = { ...endOf(error), outcome: "rescheduled", cost: "none" };
    return writeDown(consumer, claim, { release, otherwise: rescheduled(error, unknownKindRetryMs) });
  }

  const kept = consumer.claims.keep(claim);
  const stop = new AbortController();
  let late: DeadlineError | undefined;
  const timer = setTimeout(() => {
    late = new DeadlineError(`It took longer than ${definition.timeoutMs / 1_000} s`);
    stop.abort(late);
  }, definition.timeoutMs);
  const unfollow = followSignals(stop, [cutOff, kept.signal]);
  try {
    const ended = await run(consumer, claim, definition, kept, stop.signal);
    return ended === "snoozed" ? { state: ended } : { state: "succeeded", job: ended };
  } catch (error) {
    if (error instanceof FencedError || kept.signal.reason instanceof FencedError) return { state: "fenced", error };
    const aborts = { kept: kept.signal, cutOff, late };
    return await writeDown(consumer, claim, verdictOn(error, aborts, definition.retry.outageMs));
  } finally {
    kept.release();
    clearTimeout(timer);
    unfollow();
  }
}

/** The end of a failed run in the ledger, and what happens to the job if that leaves it open. */
interface Verdict {
  release: Release;
  otherwise: UnsuccessfulOutcome;
}

/** The first that applies: the effect is unknown; cancelled; the process stops; too late; the class of the error. */
function verdictOn(
  error: unknown,
  { kept, cutOff, late }: { kept: AbortSignal; cutOff: AbortSignal; late: DeadlineError | undefined },
  outageMs: number,
): Verdict {
  const release = endOf(error);
  if (release.outcome === "unknown") return { release, otherwise: { state: "unknown", error } };
  if (kept.aborted || error instanceof CancelledError)
    return { release: { ...quietly, outcome: "cancelled" }, otherwise: { state: "cancelled", error } };
  if (cutOff.aborted)
    return { release: { ...quietly, outcome: "interrupted" }, otherwise: { state: "interrupted", error } };
  if (late) return { release: endOf(late), otherwise: { state: "retried", error: late } };
  const otherwise = release.cost === "none" ? rescheduled(error, outageMs) : ({ state: "retried", error } as const);
  return { release, otherwise };
}

/** The job is not at fault, so people need not see an error. */
const quietly = { cost: "none", error: null, errorKey: null } as const;

async function writeDown<Context>(
  { db, lockMs }: Consumer<Context>,
  claim: Claim,
  { release, otherwise }: Verdict,
): Promise<Outcome> {
  const { error } = otherwise;
  const state = await releaseJob(db, claim, release).catch(() => "unwritten" as const);
  // A failure that the ledger lacks must not count with BullMQ either: the job is offered again when its lease ends.
  if (state === "unwritten") return rescheduled(error, lockMs);
  if (state === undefined) return { state: "fenced", error };
  return state === "open" ? otherwise : { state: state as "failed" | "unknown" | "cancelled", error };
}

const rescheduled = (error: unknown, waitMs: number) => ({ state: "rescheduled", error, waitMs }) as const;

async function run<Context>(
  consumer: Consumer<Context>,
  claim: Claim,
  definition: AnyJob,
  kept: KeptClaim,
  signal: AbortSignal,
): Promise<DoneState | "snoozed"> {
  const { context, db, log, relay, claims, kinds } = consumer;
  const payload = readPayload(definition, claim.payload, claim.payloadVersion);
  const transaction = createTransact(db, relay.offer);
  const transact: Transact = (...args) => traced("commit", {}, () => transaction(...args));
  const transactionContext = { actorId: claim.actorId, traceId: claim.traceId };
  let ended: DoneState | "snoozed" | undefined;
  const job: JobRun<unknown> = {
    id: claim.id,
    request: claim.traceId,
    payload,
    signal,
    progress: kept.progress,
    async complete(effect) {
      ended = await transact(transactionContext, async (tx) =>
        completeJob(tx, claim, await effect(tx), kept.unwritten()),
      );
    },
    async commit(effect) {
      signal.throwIfAborted();
      await transact(transactionContext, async (tx) => {
        await lockClaim(tx, claim);
        await effect(tx);
      });
    },
    async snooze(delayMs) {
      await transact(transactionContext, (tx) => snoozeJob(tx, claim, delayMs));
      ended = "snoozed";
    },
  };
  allowSharedWrites(job, {
    async complete(write) {
      if (!(await traced("commit", {}, () => write(claim)))) throw fenced(claim.id);
      ended = "succeeded";
    },
    commit(write) {
      signal.throwIfAborted();
      return traced("commit", {}, () => write(claim));
    },
  });
  const work = kinds.processors[claim.kind]?.run(job, context);
  await raceWithAbort(work ?? Promise.resolve(), signal).catch((error: unknown) => {
    // Its effect is committed, so the job has ended, whatever failed after that.
    if (!ended) throw error;
    log.warn({ err: error, job: claim.id, kind: claim.kind }, `job ${ended}, but its run failed after that`);
  });
  // The last report of its progress would be lost.
  if (!ended && kept.unwritten()) await job.complete(async () => undefined);
  ended ??= await claims.finish(claim);
  if (!ended) throw fenced(claim.id);
  return ended;
}

/** The job has succeeded, whatever fails here. */
async function finishUp<Context>(
  { context, kinds, log }: Consumer<Context>,
  { id, kind, payload, payloadVersion }: Pick<Claim, "id" | "kind" | "payload" | "payloadVersion">,
) {
  const definition = kinds.jobs[kind];
  const processor = kinds.processors[kind];
  if (!definition || !processor?.onSucceeded) return;
  try {
    const work = processor.onSucceeded(readPayload(definition, payload, payloadVersion), context);
    await raceWithAbort(work, AbortSignal.timeout(onSucceededMs));
  } catch (error) {
    log.warn({ err: error, job: id, kind }, "job succeeded, but onSucceeded failed");
  }
}

function answer(bull: Job<QueuedData>, token: string, outcome: UnsuccessfulOutcome) {
  const message = describeError(outcome.error).message;
  switch (outcome.state) {
    case "failed":
    case "unknown":
      throw new UnrecoverableError(message);
    case "retried":
      throw new Error(message);
    case "rescheduled":
      return delay(bull, token, outcome.waitMs);
    case "interrupted":
      return giveBack(bull, token);
    case "cancelled":
      return "cancelled";
    case "fenced":
      return "another worker has it";
  }
}

async function delay(bull: Job<QueuedData>, token: string, ms: number): Promise<never> {
  await bull.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

async function giveBack(bull: Job<QueuedData>, token: string): Promise<never> {
  await bull.moveToWait(token);
  throw new WaitingError();
}

/** When Postgres does not answer the claim, the job is rescheduled, which costs no attempt. */
function putBack<Context>({ log }: Consumer<Context>, bull: Job<QueuedData>, token: string) {
  return (error: unknown) => {
    log.warn({ err: error, queuedJob: bull.id }, "job could not be claimed; it is rescheduled");
    return delay(bull, token, outageRetryMs);
  };
}
