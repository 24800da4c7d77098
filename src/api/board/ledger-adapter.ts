import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ConflictError, ForbiddenError, NotFoundError } from "../../errors.ts";
import type { QueuedData } from "../../jobs/dispatch.ts";
import type { QueueName } from "../../jobs/queues.ts";
import type { Queues } from "../../platform/queues.ts";

type Queue = Queues["byName"][QueueName];
type Job = NonNullable<Awaited<ReturnType<BullMQAdapter["getJob"]>>>;
type JobCleanStatus = Parameters<BullMQAdapter["clean"]>[0];
type JobStatus = Parameters<BullMQAdapter["getJobs"]>[0][number];
type QueueOptions = ConstructorParameters<typeof BullMQAdapter>[1];

/** What the board does to promised jobs and to queues, on behalf of whoever has pressed the button. */
export interface Steer {
  cancel(id: string): Promise<void>;
  retry(id: string): Promise<void>;
  pause(queue: string): Promise<void>;
  resume(queue: string): Promise<void>;
}

const waiting: readonly JobStatus[] = ["waiting", "prioritized", "delayed", "paused"];
const pageSize = 100;

/**
 * A queue for Bull Board whose actions change the ledger first: what is removed is cancelled, what is retried is
 * promised anew, and a pause is kept. What would make Redis say something that was never promised is refused.
 */
export class LedgerAdapter extends BullMQAdapter {
  private readonly bull: Queue;
  private readonly steer: Steer;

  constructor(queue: Queue, options: QueueOptions, steer: Steer) {
    super(queue, options);
    this.bull = queue;
    this.steer = steer;
  }

  override async getJob(id: string) {
    const job = await super.getJob(id);
    return job && this.steered(job);
  }

  override async getJobs(statuses: JobStatus[], start?: number, end?: number) {
    return (await super.getJobs(statuses, start, end)).map((job) => this.steered(job));
  }

  /** Cleaning what is over only tidies Redis; cleaning what waits cancels it. */
  override async clean(status: JobCleanStatus, graceTimeMs: number) {
    if (status === "completed" || status === "failed") return super.clean(status, graceTimeMs);
    const statuses: JobStatus[] = status === "wait" ? ["waiting", "prioritized", "paused"] : [status as JobStatus];
    if (status === "active") throw new ForbiddenError("Running jobs are cancelled one by one, on their own pages");
    await this.cancelAll(statuses);
  }

  override async empty() {
    await this.cancelAll(waiting);
    await super.empty();
  }

  override async obliterate() {
    await this.cancelAll(waiting);
    await this.bull.drain(true);
    await super.clean("completed", 0);
    await super.clean("failed", 0);
  }

  override addJob(): Promise<never> {
    return refuse("Only what was promised can be run: use the API, or retry the job");
  }

  override pause() {
    return this.steer.pause(this.bull.name);
  }

  override resume() {
    return this.steer.resume(this.bull.name);
  }

  /** A page at a time, as those of the page before are gone from it. */
  private async cancelAll(statuses: readonly JobStatus[]) {
    const seen = new Set<string>();
    for (;;) {
      const page = await this.getJobs([...statuses], 0, pageSize - 1);
      const fresh = page.filter(({ id }) => !seen.has(String(id)));
      if (fresh.length === 0) return;
      for (const job of fresh) {
        seen.add(String(job.id));
        await job.remove();
      }
    }
  }

  /** The job as the board sees it; it is made anew for each request. */
  private steered(job: Job): Job {
    const { steer } = this;
    const remove = job.remove.bind(job);
    const id = String((job.data as QueuedData | undefined)?.id);
    return Object.assign(job, {
      async remove() {
        await unlessOver(steer.cancel(id));
        await remove();
      },
      async retry() {
        const isLast = await steer.retry(id).then(
          () => true,
          (error: unknown) => {
            // Somebody has retried it already: what is left here is its past.
            if (error instanceof ConflictError) return false;
            throw error;
          },
        );
        if (!isLast && (await job.getState()) === "completed") throw new ConflictError(`Job '${id}' has succeeded`);
        await remove();
      },
      updateData: () => refuse("What was promised cannot be changed: cancel the job and ask for another one"),
      changePriority: () => refuse("Priorities follow from the kind of job"),
      changeDelay: () => refuse("Use 'promote' to run it now; its time follows from its back-off"),
    });
  }
}

function refuse(why: string): Promise<never> {
  return Promise.reject(new ForbiddenError(why));
}

/** A job that is over, or that the ledger does not know, may go from Redis without more. */
async function unlessOver(cancelling: Promise<void>) {
  await cancelling.catch((error: unknown) => {
    if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
  });
}
