import { AsyncLocalStorage } from "node:async_hooks";
import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { applyPauses, type JobStatus, jobQueries, type Queues, queuePauses } from "../../engine/index.ts";
import { ForbiddenError } from "../../errors.ts";
import type { QueueName } from "../../jobs/queues.ts";
import {
  cancelUnfinished,
  listPauses,
  type NamedPause,
  pauseQueue,
  resumeQueue,
  retryEnded,
} from "../../services/operations/job-control.ts";
import { type Act, type Operator, requireRightTo } from "../../services/operations/job-rights.ts";
import type { ApiContext } from "../http/types.ts";

/** Who presses which button of the board and why, in which request. */
export interface Pressing {
  operator: Operator;
  traceId: string;
  /** Undefined for requests that only read. */
  act: Act | undefined;
  /** The act in the ledger, for the audit log of visitors who gave no reason. */
  done?: string;
}

/** The acts of the board in the ledger, on behalf of the visitor; one transaction for each call. */
export interface BoardActions {
  /** Runs the handler of one request. */
  as<T>(pressing: Pressing, work: () => T): T;
  statesOf(ids: readonly string[]): Promise<Map<string, JobStatus>>;
  /** Throws `ForbiddenError` and `ReasonNeededError` unless this may be done to each of them. */
  permit(ids: readonly string[]): Promise<void>;
  /** Cancels those that are not over. */
  cancel(ids: readonly string[]): Promise<void>;
  /** Retries those that failed, were cancelled or are unknown; returns their ids. */
  retry(ids: readonly string[]): Promise<Set<string>>;
  /**
   * Pages of the jobs that wait in a queue now, in Redis or on the outbox; without those that are enqueued meanwhile.
   */
  waiting(queue: string, pageSize: number): AsyncIterable<JobStatus[]>;
  pauseOf(queue: string): Promise<NamedPause | undefined>;
  pause(queue: QueueName): Promise<void>;
  resume(queue: QueueName): Promise<void>;
}

const firstId = "00000000-0000-0000-0000-000000000000";

/** The actions of all boards of this process. */
export function createBoardActions(
  { transact, db }: Pick<ApiContext, "transact" | "db">,
  queues: Queues,
): BoardActions {
  const pressings = new AsyncLocalStorage<Pressing>();
  const present = () => {
    const pressing = pressings.getStore();
    if (!pressing?.act) throw new ForbiddenError("Only a button of the board does this");
    return { pressing, act: pressing.act };
  };
  const change = <T>(done: string, work: (tx: EntityManager, operator: Operator, act: Act) => Promise<T>) => {
    const { pressing, act } = present();
    pressing.done = done;
    const { operator, traceId } = pressing;
    return transact({ actorId: operator.id, traceId }, (tx) => work(tx, operator, act));
  };
  const agree = async () => applyPauses(queues, await queuePauses.list(db.manager));
  return {
    as: (pressing, work) => pressings.run(pressing, work),
    async statesOf(ids) {
      const rows = await jobQueries.statuses(db.manager, ids);
      return new Map(rows.map((row) => [row.id, row]));
    },
    async permit(ids) {
      const { pressing, act } = present();
      await requireRightTo(db.manager, act, ids, pressing.operator);
    },
    cancel(ids) {
      return change("removed in Bull Board", (tx, operator, act) => cancelUnfinished(tx, ids, operator, act));
    },
    async retry(ids) {
      const retried = await change("retried in Bull Board", (tx, operator, act) => retryEnded(tx, ids, operator, act));
      return new Set(retried);
    },
    async *waiting(queue, pageSize) {
      const before = uuidv7();
      for (let after = firstId; ; ) {
        const page = await jobQueries.waiting(db.manager, queue, after, before, pageSize);
        if (page.length > 0) yield page;
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        after = last.id;
      }
    },
    pauseOf: async (queue) => (await listPauses(db.manager)).find((pause) => pause.queue === queue),
    async pause(queue) {
      await change("paused in Bull Board", (tx, operator) => pauseQueue(tx, queue, operator));
      await agree();
    },
    async resume(queue) {
      await change("resumed in Bull Board", (tx, operator) => resumeQueue(tx, queue, operator));
      await agree();
    },
  };
}
