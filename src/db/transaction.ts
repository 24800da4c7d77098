import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, EntityManager } from "typeorm";
import type { PromisedJob } from "../jobs/dispatch.ts";
import { isTransactionConflict } from "./postgres-errors.ts";

/** On whose behalf a transaction runs; jobs promised in it remember that. */
export interface Origin {
  actorId: string | null;
  traceId: string | null;
}

interface Note extends Origin {
  /** Jobs promised in it. */
  promised: PromisedJob[];
}

/** Runs one transaction and returns what `work` returned. */
export type Transact = <T>(
  origin: Origin,
  work: (tx: EntityManager) => Promise<T>,
  isolation?: "REPEATABLE READ" | undefined,
) => Promise<T>;

const attempts = 4;

/**
 * The one way to open a transaction for business work: runs the whole of `work` again (up to three times) after a
 * deadlock or serialisation failure, and hands what a commit has
 * promised to `onPromise`.
 */
export function createTransact(db: DataSource, onPromise: (jobs: readonly PromisedJob[]) => void): Transact {
  return async (origin, work, isolation = undefined) => {
    for (let attempt = 1; ; attempt++) {
      const note: Note = { ...origin, promised: [] };
      try {
        const result = await inTransaction(db, isolation, (tx) => work(noted(tx, note)));
        if (note.promised.length > 0) onPromise(note.promised);
        return result;
      } catch (error) {
        if (attempt >= attempts || !isTransactionConflict(error)) throw error;
        await sleep(Math.random() * 20 * attempt);
      }
    }
  };
}

/** What Postgres does anyway, READ COMMITTED, need not be said in a round trip of its own. */
function inTransaction<T>(
  db: DataSource,
  isolation: "REPEATABLE READ" | undefined,
  run: (tx: EntityManager) => Promise<T>,
) {
  return isolation ? db.transaction(isolation, run) : db.transaction(run);
}

const notes = new WeakMap<EntityManager, Note>();

function noted(tx: EntityManager, note: Note) {
  notes.set(tx, note);
  return tx;
}

/** What is noted about a transaction; nothing for one that was opened another way. */
export function noteOf(tx: EntityManager): Note {
  return notes.get(tx) ?? { actorId: null, traceId: null, promised: [] };
}
