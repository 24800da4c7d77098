import { strayObjects } from "../../db/dao/documents/stray-objects.ts";
import type { RetentionName } from "../../jobs/retention.ts";
import type { StoredObject } from "../../platform/object-store.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";

type Run = JobRun<"collect-garbage">;
type Context = Pick<WorkerContext, "store" | "log" | "metrics" | "retention">;

/** Prefixes of objects that need a reference. */
const prefixes = ["staged/", "images/", "documents/"];
/** Prefix of price lists that mails link to; no row refers to them. */
const published = "tmp/price_list_";
const dayMs = 24 * 3_600_000;
/** More would wait for a connection until their time-out, and delay uploads. */
const removedAtOnce = 25;

/**
 * Removes objects without a reference in two passes in a row that are older than a day or than RETENTION says, and
 * published price lists that are too old. Safe to repeat: objects that this pass records are left to the next one.
 */
export const collectGarbageProcessor: Processor<"collect-garbage"> = {
  run: (job, context) => collectGarbage(job, context, new Date()),
};

/** The same at the moment `now`. */
export async function collectGarbage(job: Run, context: Context, now: Date) {
  const counts = { looked_at: 0, noted: 0, removed: 0, price_lists: 0 };
  for (const prefix of prefixes) {
    for await (const page of context.store.list(prefix, { signal: job.signal })) {
      const { noted, removed } = await sweep(job, context, page, now);
      counts.looked_at += page.length;
      counts.noted += noted;
      counts.removed += removed;
      job.progress(counts.looked_at, null);
    }
  }
  for await (const page of context.store.list(published, { signal: job.signal })) {
    const old = olderThan(page, now, context.retention.price_lists);
    await removeAll(job, context, "price_lists", old);
    counts.price_lists += old.length;
  }
  context.log.info({ job: job.id, ...counts }, "objects without a reference are removed");
  await job.complete(async (tx) => {
    await strayObjects.forgetOthers(tx, job.id);
    return counts;
  });
}

/** Keys of objects that are older than this many days. */
function olderThan(page: StoredObject[], now: Date, days: number) {
  return page.filter(({ modifiedAt }) => now.getTime() - modifiedAt.getTime() > days * dayMs).map(({ key }) => key);
}

async function sweep(job: Run, context: Context, page: StoredObject[], now: Date) {
  // Younger objects may still wait for the transaction that refers to them: uploads and jobs take minutes.
  const old = olderThan(page, now, context.retention.stray_objects);
  if (old.length === 0) return { noted: 0, removed: 0 };
  let strays: string[] = [];
  let doomed: string[] = [];
  await job.commit(async (tx) => {
    const referenced = await strayObjects.referenced(tx, old);
    strays = old.filter((key) => !referenced.has(key));
    doomed = await strayObjects.notedBefore(tx, strays, job.id);
    const kept = new Set(doomed);
    strays = strays.filter((key) => !kept.has(key));
    await strayObjects.record(tx, strays, job.id);
  });
  // At once after the check: an object that is stored again under its old name meanwhile would be removed as well.
  await removeAll(job, context, "stray_objects", doomed);
  return { noted: strays.length, removed: doomed.length };
}

async function removeAll(job: Run, { store, metrics }: Context, line: RetentionName, keys: string[]) {
  for (let first = 0; first < keys.length; first += removedAtOnce) {
    job.signal.throwIfAborted();
    const some = keys.slice(first, first + removedAtOnce);
    await Promise.all(some.map((key) => store.remove(key)));
    metrics.retentionRemoved.inc({ line }, some.length);
  }
}
