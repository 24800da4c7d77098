import { type DataSource, In } from "typeorm";
import { Job } from "../../../engine/index.ts";

/** Intervals: short for jobs that are nearly done, long for those that take their time. */
const eagerMs = 50;
const defaultMs = 250;

interface Watch {
  /** The row of a job, read a moment from now; null when there is none. */
  next(id: string, isEager: boolean): Promise<Job | null>;
}

const watches = new WeakMap<DataSource, Watch>();

/** Reads jobs for all waiting callers: one statement for any number of them. */
export function jobWatch(db: DataSource): Watch {
  const known = watches.get(db) ?? createWatch(db);
  watches.set(db, known);
  return known;
}

function createWatch(db: DataSource): Watch {
  let waiting: { id: string; resolve: (job: Job | null) => void; reject: (error: unknown) => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;

  const look = async () => {
    const entries = waiting;
    waiting = [];
    timer = undefined;
    due = Number.POSITIVE_INFINITY;
    try {
      const rows = await db.manager.findBy(Job, { id: In([...new Set(entries.map(({ id }) => id))]) });
      const found = new Map(rows.map((job) => [job.id, job]));
      for (const { id, resolve } of entries) resolve(found.get(id) ?? null);
    } catch (error) {
      for (const { reject } of entries) reject(error);
    }
  };
  return {
    next(id, isEager) {
      const wanted = performance.now() + (isEager ? eagerMs : defaultMs);
      if (wanted < due) {
        clearTimeout(timer);
        due = wanted;
        timer = setTimeout(() => void look(), isEager ? eagerMs : defaultMs);
      }
      return new Promise((resolve, reject) => waiting.push({ id, resolve, reject }));
    },
  };
}
