import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource, EntityManager } from "typeorm";
import { isTransactionConflict } from "./postgres-errors.ts";

/** On whose behalf a transaction runs; jobs promised in it remember that. */
export interface Origin {
  actorId: string | null;
  traceId: string | null;
}

interface Note extends Origin {
  promised: boolean;
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
 * deadlock or serialisation failure, and calls `onPromise` after a commit that promised jobs.
 */
export function createTransact(db: DataSource, onPromise: () => void): Transact {
  return async (origin, work, isolation = undefined) => {
    for (let attempt = 1; ; attempt++) {
      const note: Note = { ...origin, promised: false };
      try {
        const result = await db.transaction(isolation ?? "READ COMMITTED", (tx) => {
          notes.set(tx, note);
          return work(tx);
        });
        if (note.promised) onPromise();
        return result;
      } catch (error) {
        if (attempt >= attempts || !isTransactionConflict(error)) throw error;
        await sleep(Math.random() * 20 * attempt);
      }
    }
  };
}

const notes = new WeakMap<EntityManager, Note>();

/** What is noted about a transaction; nothing for one that was opened another way. */
export function noteOf(tx: EntityManager): Note {
  return notes.get(tx) ?? { actorId: null, traceId: null, promised: false };
}
