import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { validate as isUuid } from "uuid";
import { type JobStatus, type QueuedData, type Queues, queuedJobId } from "../../engine/index.ts";
import { ConflictError, ForbiddenError } from "../../errors.ts";
import type { QueueName } from "../../jobs/queues.ts";
import { createBatcher } from "../../platform/batch.ts";
import type { NamedPause } from "../../services/operations/job-control.ts";
import type { BoardActions } from "./board-actions.ts";
import type { Messages } from "./messages.ts";

type Queue = NonNullable<Queues["byName"][string]>;
type Job = NonNullable<Awaited<ReturnType<BullMQAdapter["getJob"]>>>;
type JobCleanStatus = Parameters<BullMQAdapter["clean"]>[0];
type BullStatus = Parameters<BullMQAdapter["getJobs"]>[0][number];
type QueueOptions = ConstructorParameters<typeof BullMQAdapter>[1];
type Retry = (id: string) => Promise<Retried>;

interface Retried {
  isPromised: boolean;
  /** Its state otherwise; undefined when the ledger does not know it. */
  status: JobStatus | undefined;
}

const waiting = ["waiting", "prioritized", "delayed", "paused"] as const satisfies BullStatus[];
const pageSize = 100;

/** The dependencies of the adapter. */
export interface AdapterContext {
  boardActions: BoardActions;
  messages: Pick<Messages, "board">;
  /** Hidden from visitors who may only read. */
  redact?: <T>(value: T) => T;
}

/**
 * A queue for Bull Board whose actions change the ledger first: a removed job is cancelled, a retried one is enqueued
 * again, and a pause is stored. Refuses actions that would make Redis differ from the ledger.
 */
export class LedgerAdapter extends BullMQAdapter {
  private readonly bull: Queue;
  private readonly context: AdapterContext;
  private readonly boardActions: BoardActions;
  private present: NamedPause | undefined;

  constructor(queue: Queue, options: QueueOptions, context: AdapterContext) {
    super(queue, options);
    this.bull = queue;
    this.context = context;
    this.boardActions = context.boardActions;
  }

  override async getJob(id: string) {
    const job = await super.getJob(id);
    return job && this.withBoardActions(job, this.retries(), true);
  }

  override async getJobs(statuses: BullStatus[], start?: number, end?: number) {
    const retry = this.retries();
    return (await super.getJobs(statuses, start, end)).map((job) => this.withBoardActions(job, retry, false));
  }

  /** Cleaning finished jobs only tidies Redis; cleaning waiting ones cancels them. */
  override async clean(status: JobCleanStatus, graceTimeMs: number) {
    if (status === "active") throw new ForbiddenError("Running jobs are cancelled one by one, on their ledger pages");
    if (status === "delayed") return this.cancelListed(["delayed"]);
    if (status === "wait") return this.cancelListed(["waiting", "prioritized", "paused"]);
    await super.clean(status, graceTimeMs);
  }

  /** Cancels all waiting jobs, also those on the outbox that wait for their group's share. */
  override async empty() {
    // All or none: a job that may not be cancelled has to be found before any is.
    for await (const page of this.boardActions.waiting(this.bull.name, pageSize))
      await this.boardActions.permit(page.map(({ id }) => id));
    for await (const page of this.boardActions.waiting(this.bull.name, pageSize)) {
      await this.boardActions.cancel(page.map(({ id }) => id));
      await Promise.all(page.map(({ id, gen }) => this.bull.remove(queuedJobId({ jobId: id, gen }))));
    }
    await this.cancelListed(waiting);
  }

  /** As `empty`, and removes finished jobs from Redis; running jobs go on, even with `force`. */
  override async obliterate() {
    await this.empty();
    await super.clean("completed", 0);
    await super.clean("failed", 0);
  }

  override addJob() {
    return refuse("Only enqueued jobs can run: request it over the API, or retry the job");
  }

  override runJobSchedulerNow() {
    return refuse("Schedules are kept in the ledger, not in Redis");
  }

  override updateJobScheduler() {
    return refuse("Schedules are kept in the ledger, not in Redis");
  }

  override pause() {
    return this.boardActions.pause(this.bull.name as QueueName);
  }

  override resume() {
    return this.boardActions.resume(this.bull.name as QueueName);
  }

  /** The stored pause, even while Redis does not have it. */
  override async isPaused() {
    this.present = await this.boardActions.pauseOf(this.bull.name);
    return this.present !== undefined;
  }

  /** Tells who has paused it, when and why; the board reads this after `isPaused`. */
  override getDescription() {
    if (!this.present) return this.description;
    const { byEmail, at, reason } = this.present;
    const { messages, redact = (text) => text } = this.context;
    const { paused, by, deletedUser } = messages.board;
    const when = at.toISOString().slice(0, 16).replace("T", " ");
    return `${paused}, ${when} UTC, ${by} ${redact(byEmail ?? deletedUser)}: ${redact(reason)}. ${this.description}`;
  }

  /** Cancels the jobs that Redis lists now: page by page, since each page is removed from the list. */
  private async cancelListed(statuses: readonly BullStatus[]) {
    for (let from = 0; ; from += pageSize) {
      const page = await super.getJobs([...statuses], from, from + pageSize - 1);
      if (page.length === 0) break;
      await this.boardActions.permit(page.map(ledgerIdOf).filter(isUuid));
    }
    const counts = await this.getJobCounts();
    let left = statuses.reduce((sum, status) => sum + (counts[status as keyof typeof counts] ?? 0), 0);
    const seen = new Set<string>();
    while (left > 0) {
      const page = (await super.getJobs([...statuses], 0, pageSize - 1)).filter(({ id }) => !seen.has(String(id)));
      if (page.length === 0) return;
      await this.boardActions.cancel(page.map(ledgerIdOf).filter(isUuid));
      await Promise.all(page.map(({ id }) => this.bull.remove(String(id))));
      for (const { id } of page) seen.add(String(id));
      left -= page.length;
    }
  }

  /** Retries for the jobs of one request: those of one call share a transaction. */
  private retries(): Retry {
    const { boardActions } = this;
    const all = async (ids: string[]): Promise<Retried[]> => {
      const promised = await boardActions.retry(ids);
      const states = await boardActions.statesOf(ids.filter((id) => !promised.has(id)));
      return ids.map((id) => ({ isPromised: promised.has(id), status: states.get(id) }));
    };
    return createBatcher(all, { size: pageSize, maxInFlight: 1, failsWholeBatch: () => true });
  }

  /** The job in the board's form, built for each request; `isAlone` when the request is about this job only. */
  private withBoardActions(job: Job, retry: Retry, isAlone: boolean): Job {
    const { boardActions } = this;
    const id = ledgerIdOf(job);
    // Unlike the job's own method, it accepts a job that a worker has just claimed: the ledger tells that worker.
    const removeEntry = () => this.bull.remove(String(job.id));
    const { redact } = this.context;
    if (redact) {
      const { failedReason, stacktrace, data, returnvalue, progress } = job;
      Object.assign(job, redact({ failedReason, stacktrace, data, returnvalue, progress }));
    }
    return Object.assign(job, {
      async remove() {
        const state = await job.getState();
        if (state === "active") throw new ConflictError(`Job '${id}' is running: cancel it on its ledger page`);
        // A job that Redis calls completed has nothing left to cancel: a parent there waits for its children.
        if (isUuid(id) && state !== "completed" && !(state === "failed" && (await isPast(job, id, boardActions))))
          await boardActions.cancel([id]);
        await removeEntry();
      },
      async retry(state?: string) {
        if (!isUuid(id)) throw new ForbiddenError("This job was never enqueued, and can only be removed");
        const { isPromised, status } = await retry(id);
        const now = isPromised ? undefined : status?.state;
        if (now === "succeeded" && (isAlone || state === "completed"))
          throw new ConflictError(`Job '${id}' has succeeded; it does not run twice`);
        const goesOn = now !== undefined && now !== "succeeded" && status?.gen === genOf(job);
        if (goesOn && isAlone) throw new ConflictError(`Job '${id}' is ${now} already`);
        // Otherwise this is an old entry of a job that runs again, has succeeded, or is deleted.
        if (!goesOn) await removeEntry();
      },
      updateData: () => refuse("An enqueued job cannot be changed: cancel it, and request another one"),
      changePriority: () => refuse("The kind of job determines its priority"),
      changeDelay: () => refuse("The back-off determines its time; 'promote' runs it now"),
    });
  }
}

function ledgerIdOf({ data }: Job) {
  return String((data as QueuedData | null | undefined)?.id);
}

function genOf({ id }: Job) {
  return Number(String(id).split("-").at(-1));
}

/** True for an entry of a job that was dispatched again, or that the ledger does not know. */
async function isPast(job: Job, id: string, boardActions: BoardActions) {
  const status = (await boardActions.statesOf([id])).get(id);
  return status?.gen !== genOf(job);
}

function refuse(why: string): Promise<never> {
  return Promise.reject(new ForbiddenError(why));
}
