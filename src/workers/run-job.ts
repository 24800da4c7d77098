import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import { validate as isUuid } from "uuid";
import {
  CancelledError,
  type Claim,
  completeJob,
  deferJob,
  FencedError,
  fenced,
  findJob,
  holdJob,
  type Release,
  releaseJob,
} from "../db/ledger.ts";
import { createTransact, type Transact } from "../db/transaction.ts";
import { type AnyJob, readPayload } from "../jobs/define-job.ts";
import type { QueuedData } from "../jobs/dispatch.ts";
import { type QueueName, queues } from "../jobs/queues.ts";
import { describeError } from "../platform/describe-error.ts";
import type { Relay } from "../platform/relay.ts";
import type { Throughput } from "../platform/throughput.ts";
import { annotate, isTracing, type Place, traced, tracedUntil } from "../platform/tracing.ts";
import type { Claims, KeptClaim } from "./claims.ts";
import { costOf, DeadlineError, endOf, PermanentError } from "./classify-error.ts";
import type { Kinds, RunOf, WorkerContext } from "./context.ts";

/** Wait before a run whose claim Postgres could not be asked for. */
const outageRetryMs = 2_000;
/** Wait before a job that only newer code knows is offered again. */
const unknownKindRetryMs = 30_000;
/** What tidying up may take; a worker that stops is not held up by it for longer. */
const tidyUpMs = 5_000;
/** What a run is given to end by itself once it is aborted. */
const endingMs = 500;

export interface Consumer {
  queue: QueueName;
  claims: Claims;
  /** Fires past the grace period of a shutdown. */
  cutOff: AbortSignal;
  context: WorkerContext;
  /** Moves what runs have promised. */
  relay: Pick<Relay, "offer" | "wake">;
  kinds: Kinds;
  /** Told how long each run took; absent: nobody scales these workers. */
  throughput?: Pick<Throughput, "ran"> | undefined;
}

/**
 * Runs one job that BullMQ has handed out: claims it in the ledger, keeps the claim alive, runs its processor and
 * writes down how it ended. What it throws tells BullMQ whether to try again and when.
 */
export async function runJob(consumer: Consumer, bull: Job<QueuedData>, token: string) {
  const { claims } = consumer;
  // Somebody may have put it there by hand.
  if (!isUuid(bull.data?.id)) throw new UnrecoverableError("This is no promised job: its data has no ledger id");
  const result = await claims.claim(bull.data.id).catch(putBack(consumer, bull, token));
  if (result.outcome === "finished") {
    if (result.job?.state === "succeeded") await tidyUp(consumer, result.job);
    // The board must not show as completed what the ledger calls failed.
    if (result.job?.state === "failed") throw new UnrecoverableError(result.job.lastError?.message ?? "It has failed");
    return "finished before";
  }
  if (result.outcome === "held") return delay(bull, token, result.waitMs + 100);
  return runClaimed(consumer, bull, token, result.claim);
}

async function runClaimed(consumer: Consumer, bull: Job<QueuedData>, token: string, claim: Claim) {
  const { context, queue } = consumer;
  const log = { job: claim.id, kind: claim.kind, epoch: claim.epoch, request: claim.traceId };
  const { metrics } = context;
  if (bull.attemptsStarted === 1 && bull.processedOn)
    metrics.jobWait.observe({ queue, kind: claim.kind }, Math.max(0, bull.processedOn - bull.timestamp) / 1_000);
  const began = performance.now();
  const outcome = await inSlot(consumer, bull, claim);
  const seconds = (performance.now() - began) / 1_000;
  const ms = Math.round(seconds * 1_000);

  consumer.throughput?.ran(queue, seconds, !brokenOff.has(outcome.state));
  metrics.jobRun.observe({ queue, kind: claim.kind }, ms / 1_000);
  metrics.jobsFinished.inc({ queue, kind: claim.kind, outcome: outcome.state });
  // Its group has room for the next one.
  if (claim.groupKey !== null) consumer.relay.wake();
  if (outcome.state === "succeeded") {
    context.log.info({ ...log, ms }, "job succeeded");
    await tidyUp(consumer, claim);
    return "succeeded";
  }
  if (outcome.state === "deferred") {
    context.log.debug({ ...log, ms }, "job deferred");
    return "deferred";
  }
  if (outcome.state === "fenced") {
    // It may have been ourselves: the commit went through, and only its answer was lost.
    const job = await findJob(context.db.manager, claim.id).catch(() => null);
    if (job?.state === "succeeded") await tidyUp(consumer, job);
  }
  report(context, { ...log, ms }, outcome);
  return answer(bull, token, outcome);
}

/** An attempt that counts as one of the jobs that run now. */
async function inSlot(consumer: Consumer, bull: Job<QueuedData>, claim: Claim): Promise<Outcome> {
  const { queue, context } = consumer;
  const run = () => attempt(consumer, claim);
  context.metrics.workerBusySlots.inc({ queue });
  try {
    return await (isTracing() ? tracedRun(bull, queue, claim, run) : run());
  } finally {
    context.metrics.workerBusySlots.dec({ queue });
  }
}

/** The first run belongs to the request that wanted it; what happens again, or a thousand times, only points there. */
function tracedRun(bull: Job<QueuedData>, queue: QueueName, claim: Claim, run: () => Promise<Outcome>) {
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

/** Runs that say nothing of how long such a job takes. */
const brokenOff: ReadonlySet<Outcome["state"]> = new Set(["postponed", "handed-back", "fenced", "cancelled"]);

type Outcome =
  | { state: "succeeded" }
  /** Its processor wants it to run later; promised anew already. */
  | { state: "deferred" }
  /** Over for good. */
  | { state: "failed" | "unknown"; error: unknown }
  /** Over, as somebody wanted. */
  | { state: "cancelled"; error: unknown }
  /** Counts as a failure and will be tried again by BullMQ's back-off. */
  | { state: "retried"; error: unknown }
  /** Costs no attempt: an outage, or a kind of job that this code does not know yet. */
  | { state: "postponed"; error: unknown; waitMs: number }
  /** Given back because this process stops. */
  | { state: "handed-back"; error: unknown }
  /** Another worker has it now. */
  | { state: "fenced"; error: unknown };

/** A run that did not end as it was meant to. */
type BadOutcome = Exclude<Outcome, { state: "succeeded" | "deferred" }>;

function report({ log }: WorkerContext, line: object, { state, error }: BadOutcome) {
  if (state === "cancelled" || costOf(error) === "all") {
    // The input was at fault or somebody wanted it so, and can read why: a sentence will do.
    return log.warn({ ...line, reason: describeError(error).message }, `job ${state}`);
  }
  log[state === "failed" ? "error" : "warn"]({ ...line, err: error }, `job ${state}`);
}

async function attempt(consumer: Consumer, claim: Claim): Promise<Outcome> {
  const { kinds, cutOff } = consumer;
  const definition = kinds.jobs[claim.kind];
  if (claim.crashes > claim.maxCrashes) {
    const error = new PermanentError(`Its worker died ${claim.crashes} times while it ran; it is not tried again`);
    return writeDown(consumer, claim, { release: endOf(error), otherwise: { state: "failed", error } });
  }
  if (!definition || claim.payloadVersion > definition.version) {
    const error = new Error(`No processor here for '${claim.kind}' version ${claim.payloadVersion}`);
    const release: Release = { ...endOf(error), outcome: "postponed", cost: "none" };
    return writeDown(consumer, claim, { release, otherwise: postponed(error, unknownKindRetryMs) });
  }

  const kept = consumer.claims.keep(claim);
  const stop = new AbortController();
  let late: DeadlineError | undefined;
  const timer = setTimeout(() => {
    late = new DeadlineError(`It took longer than ${definition.timeoutMs / 1_000} s`);
    stop.abort(late);
  }, definition.timeoutMs);
  const unfollow = follow(stop, [cutOff, kept.signal]);
  try {
    return { state: await run(consumer, claim, definition, kept, stop.signal) };
  } catch (error) {
    if (error instanceof FencedError || kept.signal.reason instanceof FencedError) return { state: "fenced", error };
    const aborts = { kept: kept.signal, cutOff, late };
    return await writeDown(consumer, claim, verdictOn(error, aborts, definition.retry.outageMs));
  } finally {
    kept.letGo();
    clearTimeout(timer);
    unfollow();
  }
}

/** As `AbortSignal.any`, which costs a run more than everything else here: it keeps weak references. */
function follow(stop: AbortController, signals: readonly AbortSignal[]) {
  const abort = (event: Event) => stop.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) stop.abort(signal.reason);
    else signal.addEventListener("abort", abort);
  }
  return () => {
    for (const signal of signals) signal.removeEventListener("abort", abort);
  };
}

/** How a run that threw ends in the ledger, and what becomes of the job if that leaves it open. */
interface Verdict {
  release: Release;
  otherwise: BadOutcome;
}

/** The first that holds: nobody knows whether it happened; cancelled; the process stops; too late; what the error says. */
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
    return { release: { ...quietly, outcome: "handed-back" }, otherwise: { state: "handed-back", error } };
  if (late) return { release: endOf(late), otherwise: { state: "retried", error: late } };
  const otherwise = release.cost === "none" ? postponed(error, outageMs) : ({ state: "retried", error } as const);
  return { release, otherwise };
}

/** No fault of the job that anybody should read about. */
const quietly = { cost: "none", error: null, errorKey: null } as const;

async function writeDown(
  { context, queue }: Consumer,
  claim: Claim,
  { release, otherwise }: Verdict,
): Promise<Outcome> {
  const { error } = otherwise;
  const state = await releaseJob(context.db, claim, release).catch(() => "unwritten" as const);
  // What the ledger does not know must not count with BullMQ either: the job is offered again when its lease is over.
  if (state === "unwritten") return postponed(error, queues[queue].lockMs);
  if (state === undefined) return { state: "fenced", error };
  return state === "open" ? otherwise : { state: state as "failed" | "unknown" | "cancelled", error };
}

const postponed = (error: unknown, waitMs: number) => ({ state: "postponed", error, waitMs }) as const;

async function run(
  consumer: Consumer,
  claim: Claim,
  definition: AnyJob,
  kept: KeptClaim,
  signal: AbortSignal,
): Promise<"succeeded" | "deferred"> {
  const { context, relay, claims, kinds } = consumer;
  const payload = readPayload(definition, claim.payload, claim.payloadVersion);
  const transaction = createTransact(context.db, relay.offer);
  const transact: Transact = (...args) => traced("commit", {}, () => transaction(...args));
  const origin = { actorId: claim.actorId, traceId: claim.traceId };
  let ended: "succeeded" | "deferred" | undefined;
  let committed = false;
  const complete: RunOf<unknown>["complete"] = async (effect) => {
    await transact(origin, async (tx) => completeJob(tx, claim, await effect(tx), kept.unwritten()));
    ended = "succeeded";
  };
  const completeBy: RunOf<unknown>["completeBy"] = async (write) => {
    if (!(await traced("commit", {}, () => write(claim)))) throw fenced(claim.id);
    ended = "succeeded";
  };
  const defer: RunOf<unknown>["defer"] = async (delayMs) => {
    await transact(origin, (tx) => deferJob(tx, claim, delayMs));
    ended = "deferred";
  };
  const commit: RunOf<unknown>["commit"] = async (effect) => {
    signal.throwIfAborted();
    committed = true;
    await transact(origin, async (tx) => {
      await holdJob(tx, claim);
      await effect(tx);
    });
  };

  const commitBy: RunOf<unknown>["commitBy"] = (write) => {
    signal.throwIfAborted();
    committed = true;
    return traced("commit", {}, () => write(claim));
  };

  const writing = { complete, completeBy, commit, commitBy, defer };
  const work = kinds.processors[claim.kind]?.run(
    { id: claim.id, request: claim.traceId, payload, signal, ...writing, progress: kept.progress },
    context,
  );
  await unlessAborted(work ?? Promise.resolve(), signal).catch((error: unknown) => {
    // Its effect is committed, so it has ended whatever came after.
    if (!ended) throw error;
    context.log.warn({ err: error, job: claim.id, kind: claim.kind }, `job ${ended}, but went wrong after that`);
  });
  if (ended) return ended;
  // It may have promised children.
  if (committed) await complete(async () => undefined);
  else if (!(await claims.finish(claim))) throw fenced(claim.id);
  return "succeeded";
}

/** The job has succeeded whatever happens here. */
async function tidyUp(
  { context, kinds }: Consumer,
  { id, kind, payload, payloadVersion }: Pick<Claim, "id" | "kind" | "payload" | "payloadVersion">,
) {
  const definition = kinds.jobs[kind];
  const processor = kinds.processors[kind];
  if (!definition || !processor?.afterwards) return;
  try {
    const work = processor.afterwards(readPayload(definition, payload, payloadVersion), context);
    await unlessAborted(work, AbortSignal.timeout(tidyUpMs));
  } catch (error) {
    context.log.warn({ err: error, job: id, kind }, "job succeeded, but was not tidied up after");
  }
}

/**
 * Lets go of work that is aborted and does not end soon: an encoder in its thread cannot be stopped. What it still does
 * is harmless: by then the job is not running in its name any more, so it cannot complete it.
 */
function unlessAborted(work: Promise<void>, signal: AbortSignal) {
  return new Promise<void>((resolve, reject) => {
    // Whoever looks at the signal knows best how the work ended: a mail may be out.
    const abort = () => void setTimeout(() => reject(signal.reason), endingMs).unref();
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    work.then(
      () => {
        signal.removeEventListener("abort", abort);
        resolve();
      },
      (error: unknown) => {
        signal.removeEventListener("abort", abort);
        reject(error);
      },
    );
  });
}

function answer(bull: Job<QueuedData>, token: string, outcome: BadOutcome) {
  const message = describeError(outcome.error).message;
  switch (outcome.state) {
    case "failed":
    case "unknown":
      throw new UnrecoverableError(message);
    case "retried":
      throw new Error(message);
    case "postponed":
      return delay(bull, token, outcome.waitMs);
    case "handed-back":
      return handBack(bull, token);
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
