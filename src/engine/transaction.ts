import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, EntityManager } from "typeorm";
import { isTransactionConflict } from "../platform/postgres/errors.ts";
import type { PromisedJob } from "./dispatch.ts";

/** On whose behalf a transaction runs; its jobs record that. */
export interface TransactionContext {
  actorId: string | null;
  traceId: string | null;
}

interface TransactionState extends TransactionContext {
  /** Jobs enqueued in it. */
  promised: PromisedJob[];
}

/** Runs one transaction and returns what `work` returned. */
export type Transact = <T>(
  context: TransactionContext,
  work: (tx: EntityManager) => Promise<T>,
  isolation?: "REPEATABLE READ" | undefined,
) => Promise<T>;

const attempts = 4;

/**
 * The one way to open a transaction for business work: runs all of `work` again (up to three times) after a deadlock or
 * serialization failure, and passes the jobs of a commit to `onPromise`.
 */
export function createTransact(db: DataSource, onPromise: (jobs: readonly PromisedJob[]) => void): Transact {
  return async (context, work, isolation = undefined) => {
    for (let attempt = 1; ; attempt++) {
      const state: TransactionState = { ...context, promised: [] };
      try {
        const result = await inTransaction(db, isolation, (tx) => work(withState(tx, state)));
        if (state.promised.length > 0) onPromise(state.promised);
        return result;
      } catch (error) {
        if (attempt >= attempts || !isTransactionConflict(error)) throw error;
        await sleep(Math.random() * 20 * attempt);
      }
    }
  };
}

/** READ COMMITTED is the default of Postgres and needs no round trip. */
function inTransaction<T>(
  db: DataSource,
  isolation: "REPEATABLE READ" | undefined,
  run: (tx: EntityManager) => Promise<T>,
) {
  return isolation ? db.transaction(isolation, run) : db.transaction(run);
}

const states = new WeakMap<EntityManager, TransactionState>();

function withState(tx: EntityManager, state: TransactionState) {
  states.set(tx, state);
  return tx;
}

/** On whose behalf a transaction runs, and the jobs it has enqueued; empty for one that was opened another way. */
export function contextOf(tx: EntityManager): TransactionState {
  return states.get(tx) ?? { actorId: null, traceId: null, promised: [] };
}
