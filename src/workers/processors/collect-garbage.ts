import { strayObjects } from "../../db/dao/documents/stray-objects.ts";
import type { RetentionName } from "../../jobs/retention.ts";
import type { StoredObject } from "../../platform/object-store.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";

type Run = JobRun<"collect-garbage">;
type Context = Pick<WorkerContext, "store" | "log" | "metrics" | "retention">;

/** Where our own objects lie that something has to refer to. */
const prefixes = ["staged/", "images/", "documents/"];
/** Where price lists lie that mails link to; nothing else refers to them. */
const published = "tmp/price_list_";
const dayMs = 24 * 3_600_000;
/** More would wait for a connection until they are called late, and keep uploads from theirs. */
const removedAtOnce = 25;

/**
 * Removes objects that nobody refers to, two passes in a row, and that are older than a day or what RETENTION says, and
 * published price lists that are too old. Safe to repeat: what this pass has noted itself it leaves to the next one.
 */
export const collectGarbageProcessor: Processor<"collect-garbage"> = {
  run: (job, context) => collectGarbage(job, context, new Date()),
};

/** The same as if it was `now`. */
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
  context.log.info({ job: job.id, ...counts }, "objects that nothing refers to are removed");
  await job.complete(async (tx) => {
    await strayObjects.forgetOthers(tx, job.id);
    return counts;
  });
}

/** Keys of those that are older than so many days. */
function olderThan(page: StoredObject[], now: Date, days: number) {
  return page.filter(({ modifiedAt }) => now.getTime() - modifiedAt.getTime() > days * dayMs).map(({ key }) => key);
}

async function sweep(job: Run, context: Context, page: StoredObject[], now: Date) {
  // Younger ones may still be waiting for the transaction that refers to them: uploads and jobs take minutes.
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
    await strayObjects.note(tx, strays, job.id);
  });
  // At once after the look: an object that is stored anew under its old name meanwhile would be removed as well.
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
