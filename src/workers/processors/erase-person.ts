import { type Erasure, erasures, type RowKey, type TracedTable } from "../../db/dao/privacy/erasures.ts";
import { beginErasure, eraseAudited, finishErasure } from "../../services/privacy/erasures.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";

type Run = JobRun<"erase-person">;

/** Time for a cancelled mail or document to end. */
const settleMs = 1_000;
const pageSize = 1_000;

/**
 * Erases what is stored about a person. Each step is a transaction that may be repeated: the marks by which traces are
 * found are written with the first one, and deleted with the job's success. The person's own rows come first, so that
 * new data made from them do not name the person; the search for traces starts when all workers that have read the rows
 * before have ended.
 */
export const erasePersonProcessor: Processor<"erase-person"> = {
  async run(job, context) {
    const { erasureId } = job.payload;
    const erasure = await erasures.find(context.db.manager, erasureId);
    if (!erasure || erasure.finishedAt) return job.complete(async () => ({ skipped: "it was done before" }));
    await job.commit((tx) => beginErasure(tx, erasure));
    if (await erasures.isWorkedFor(context.db.manager, erasureId)) return job.snooze(settleMs);
    for (const table of ["documents", "mails", "audit_log", "idempotency_key", "job", "queue_pause"] as const)
      await erasePages(job, context, erasure, table);
    let link: unknown;
    await job.complete(async (tx) => {
      const done = await finishErasure(tx, erasure, requestOf(job));
      link = done.link;
      return done.report;
    });
    context.log.info({ link, job: job.id }, "entered into the audit chain");
  },
};

const requestOf = (job: Run) => job.request ?? job.id;

async function erasePages(job: Run, context: WorkerContext, erasure: Erasure, table: TracedTable) {
  let looked = 0;
  for (let after: RowKey | null = null; ; ) {
    job.signal.throwIfAborted();
    const page = await erasures.page(context.db.manager, erasure.id, { table, after, size: pageSize });
    looked += pageSize;
    job.progress(looked, null);
    if (page.found.length > 0) await erase(job, context, erasure, table, page.found);
    if (page.next === null) return;
    after = page.next;
  }
}

async function erase(job: Run, context: WorkerContext, erasure: Erasure, table: TracedTable, keys: RowKey[]) {
  const ids = keys.map(([id = ""]) => id);
  if (table === "audit_log") return eraseAuditRows(job, context, erasure, ids);
  if (table === "documents") await removeObjects(job, context, ids);
  await job.commit(async (tx) => {
    const count = await erasures.eraseKeys(tx, table, keys);
    await erasures.addCounts(tx, erasure.id, { [table]: count });
  });
}

async function eraseAuditRows(job: Run, context: WorkerContext, erasure: Erasure, ids: string[]) {
  let link: unknown;
  await job.commit(async (tx) => {
    link = await eraseAudited(tx, erasure, ids, requestOf(job));
  });
  if (link) context.log.info({ link, job: job.id }, "entered into the audit chain");
}

/** Before the rows, since only they lead to the objects; an object that is deleted already is fine. */
async function removeObjects(job: Run, { db, store }: WorkerContext, ids: string[]) {
  for (const key of await erasures.objectsOf(db.manager, ids)) {
    job.signal.throwIfAborted();
    await store.remove(key);
  }
}
