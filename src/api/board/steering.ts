import { AsyncLocalStorage } from "node:async_hooks";
import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { type JobStanding, jobRows } from "../../db/dao/jobs.ts";
import { type QueuePause, queuePauses } from "../../db/dao/queue-pauses.ts";
import { reopenJobs } from "../../db/ledger.ts";
import { applyPauses } from "../../platform/apply-pauses.ts";
import type { Queues } from "../../platform/queues.ts";
import { cancelUnfinished } from "../../services/job-control.ts";
import type { ApiContext } from "../context.ts";

/** Who presses a button of the board, in which request. */
export interface Pressing {
  actorId: string;
  traceId: string;
  /** Why, in the words of whoever presses. */
  given?: string | undefined;
  /** What was done in the ledger, for the audit log of those who gave no reason. */
  reason?: string;
}

/** What the board does in the ledger, on behalf of whoever has pressed the button; one transaction for each call. */
export interface Steering {
  /** Runs the handling of one request. */
  as(pressing: Pressing, work: () => void): void;
  standing(ids: readonly string[]): Promise<Map<string, JobStanding>>;
  /** Cancels those that are not over. */
  cancel(ids: readonly string[]): Promise<void>;
  /** Promises those anew that failed, were cancelled or are unknown; returns their ids. */
  retry(ids: readonly string[]): Promise<Set<string>>;
  /** Pages of what waits in a queue now, in Redis or on the outbox; nothing that is promised while they are read. */
  waiting(queue: string, pageSize: number): AsyncIterable<JobStanding[]>;
  pauseOf(queue: string): Promise<QueuePause | undefined>;
  pause(queue: string): Promise<void>;
  resume(queue: string): Promise<void>;
}

const firstId = "00000000-0000-0000-0000-000000000000";

/** The steering of all boards of this process. */
export function createSteering({ transact, db }: Pick<ApiContext, "transact" | "db">, queues: Queues): Steering {
  const pressings = new AsyncLocalStorage<Pressing>();
  const change = <T>(what: string, work: (tx: EntityManager, by: string | null, reason: string) => Promise<T>) => {
    const pressing = pressings.getStore();
    if (pressing) pressing.reason = what;
    const { actorId = null, traceId = null, given = what } = pressing ?? {};
    return transact({ actorId, traceId }, (tx) => work(tx, actorId, given));
  };
  const agree = async () => applyPauses(queues, await queuePauses.list(db.manager));
  return {
    as: (pressing, work) => pressings.run(pressing, work),
    async standing(ids) {
      const rows = await jobRows.standing(db.manager, ids);
      return new Map(rows.map((row) => [row.id, row]));
    },
    cancel(ids) {
      return change("removed in Bull Board", (tx, by, reason) => cancelUnfinished(tx, ids, { by, reason }));
    },
    async retry(ids) {
      return new Set(await change("retried in Bull Board", (tx) => reopenJobs(tx, ids)));
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
      await change("paused in Bull Board", (tx, by, reason) => queuePauses.add(tx, queue, by, reason));
      await agree();
    },
    async resume(queue) {
      await change("resumed in Bull Board", (tx) => queuePauses.remove(tx, queue));
      await agree();
    },
  };
}
