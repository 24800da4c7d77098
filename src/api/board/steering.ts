import { AsyncLocalStorage } from "node:async_hooks";
import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { type JobStanding, jobRows } from "../../db/dao/jobs.ts";
import { type QueuePause, queuePauses } from "../../db/dao/queue-pauses.ts";
import { ForbiddenError } from "../../errors.ts";
import type { QueueName } from "../../jobs/queues.ts";
import { applyPauses } from "../../platform/apply-pauses.ts";
import type { Queues } from "../../platform/queues.ts";
import { cancelUnfinished, pauseQueue, resumeQueue, retryEnded } from "../../services/job-control.ts";
import { type Act, requireRightTo, type Steerer } from "../../services/job-rights.ts";
import type { ApiContext } from "../context.ts";

/** Who presses which button of the board and why, in which request. */
export interface Pressing {
  steerer: Steerer;
  traceId: string;
  /** Undefined for what only looks. */
  act: Act | undefined;
  /** What was done in the ledger, for the audit log of those who gave no reason. */
  done?: string;
}

/** What the board does in the ledger, on behalf of whoever has pressed the button; one transaction for each call. */
export interface Steering {
  /** Runs the handling of one request. */
  as<T>(pressing: Pressing, work: () => T): T;
  standing(ids: readonly string[]): Promise<Map<string, JobStanding>>;
  /** Throws `ForbiddenError` and `ReasonNeededError` unless this may be done to each of them. */
  permit(ids: readonly string[]): Promise<void>;
  /** Cancels those that are not over. */
  cancel(ids: readonly string[]): Promise<void>;
  /** Promises those anew that failed, were cancelled or are unknown; returns their ids. */
  retry(ids: readonly string[]): Promise<Set<string>>;
  /** Pages of what waits in a queue now, in Redis or on the outbox; nothing that is promised while they are read. */
  waiting(queue: string, pageSize: number): AsyncIterable<JobStanding[]>;
  pauseOf(queue: string): Promise<QueuePause | undefined>;
  pause(queue: QueueName): Promise<void>;
  resume(queue: QueueName): Promise<void>;
}

const firstId = "00000000-0000-0000-0000-000000000000";

/** The steering of all boards of this process. */
export function createSteering({ transact, db }: Pick<ApiContext, "transact" | "db">, queues: Queues): Steering {
  const pressings = new AsyncLocalStorage<Pressing>();
  const present = () => {
    const pressing = pressings.getStore();
    if (!pressing?.act) throw new ForbiddenError("This is done by pressing a button of the board");
    return { pressing, act: pressing.act };
  };
  const change = <T>(done: string, work: (tx: EntityManager, steerer: Steerer, act: Act) => Promise<T>) => {
    const { pressing, act } = present();
    pressing.done = done;
    const { steerer, traceId } = pressing;
    return transact({ actorId: steerer.id, traceId }, (tx) => work(tx, steerer, act));
  };
  const agree = async () => applyPauses(queues, await queuePauses.list(db.manager));
  return {
    as: (pressing, work) => pressings.run(pressing, work),
    async standing(ids) {
      const rows = await jobRows.standing(db.manager, ids);
      return new Map(rows.map((row) => [row.id, row]));
    },
    async permit(ids) {
      const { pressing, act } = present();
      await requireRightTo(db.manager, act, ids, pressing.steerer);
    },
    cancel(ids) {
      return change("removed in Bull Board", (tx, steerer, act) => cancelUnfinished(tx, ids, steerer, act));
    },
    async retry(ids) {
      const retried = await change("retried in Bull Board", (tx, steerer, act) => retryEnded(tx, ids, steerer, act));
      return new Set(retried);
    },
    async *waiting(queue, pageSize) {
      const before = uuidv7();
      for (let after = firstId; ; ) {
        const page = await jobRows.waiting(db.manager, queue, after, before, pageSize);
        if (page.length > 0) yield page;
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        after = last.id;
      }
    },
    pauseOf: async (queue) => (await queuePauses.list(db.manager)).find((pause) => pause.queue === queue),
    async pause(queue) {
      await change("paused in Bull Board", (tx, steerer) => pauseQueue(tx, queue, steerer));
      await agree();
    },
    async resume(queue) {
      await change("resumed in Bull Board", (tx, steerer) => resumeQueue(tx, queue, steerer));
      await agree();
    },
  };
}
