import { strayObjects } from "../../db/dao/stray-objects.ts";
import type { StoredObject } from "../../platform/object-store.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";

type Run = JobRun<"collect-garbage">;

/** Where our own objects lie; price lists under `tmp/` are the business of a rule of the bucket. */
const prefixes = ["staged/", "images/", "documents/"];
/** Younger ones may still be waiting for the transaction that refers to them (durability: uploads and jobs take minutes). */
const youngMs = 24 * 3_600_000;
/** More would wait for a connection until they are called late, and keep uploads from theirs. */
const removedAtOnce = 25;

/**
 * Removes objects that nobody refers to, two passes in a row, and that are older than a day. Safe to repeat: what this
 * pass has noted itself it leaves to the next one.
 */
export const collectGarbageProcessor: Processor<"collect-garbage"> = {
  run: (job, context) => collectGarbage(job, context, new Date()),
};

/** The same as if it was `now`. */
export async function collectGarbage(job: Run, context: Pick<WorkerContext, "store" | "log">, now: Date) {
  const counts = { looked_at: 0, noted: 0, removed: 0 };
  for (const prefix of prefixes) {
    for await (const page of context.store.list(prefix, { signal: job.signal })) {
      const { noted, removed } = await sweep(job, context, page, now);
      counts.looked_at += page.length;
      counts.noted += noted;
      counts.removed += removed;
      job.progress(counts.looked_at, null);
    }
  }
  await job.complete(async (tx) => {
    await strayObjects.forgetOthers(tx, job.id);
    return counts;
  });
}

async function sweep(job: Run, { store, log }: Pick<WorkerContext, "store" | "log">, page: StoredObject[], now: Date) {
  const old = page.filter(({ modifiedAt }) => now.getTime() - modifiedAt.getTime() > youngMs).map(({ key }) => key);
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
  for (let first = 0; first < doomed.length; first += removedAtOnce) {
    job.signal.throwIfAborted();
    await Promise.all(doomed.slice(first, first + removedAtOnce).map((key) => store.remove(key)));
  }
  if (doomed.length > 0) log.info({ job: job.id, objects: doomed.length, first: doomed[0] }, "stray objects removed");
  return { noted: strays.length, removed: doomed.length };
}
