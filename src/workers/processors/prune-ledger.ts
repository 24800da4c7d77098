import { firstPage, type PrunedPage, prunes } from "../../db/prune.ts";
import type { RetentionName } from "../../jobs/retention.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";

type Run = JobRun<"prune-ledger">;
type Context = Pick<WorkerContext, "retention" | "log">;
type Prune = (typeof prunes)[keyof typeof prunes];

/** Rows in one transaction: a few dozen milliseconds, so that its locks delay no request. */
const batchSize = 1_000;

/** Removes old rows in short transactions, each of which counts by itself. Safe to repeat. */
export const pruneLedgerProcessor: Processor<"prune-ledger"> = {
  async run(job, context) {
    const counts: Partial<Record<RetentionName, number>> = {};
    let total = 0;
    for (const [name, prune] of Object.entries(prunes) as [RetentionName, Prune][]) {
      counts[name] = await removeAll(job, context, prune, (removed) => {
        total += removed;
        context.metrics.retentionRemoved.inc({ line: name }, removed);
        job.progress(total, null);
      });
    }
    context.log.info({ job: job.id, removed: counts }, "old rows are removed");
    await job.complete(async () => counts);
  },
};

async function removeAll(job: Run, { retention: keep, log }: Context, prune: Prune, count: (removed: number) => void) {
  let all = 0;
  let page: PrunedPage = { removed: 0, next: firstPage };
  while (page.next !== null) {
    const after = page.next;
    await job.commit(async (tx) => {
      page = await prune(tx, { keep, size: batchSize, after });
    });
    all += page.removed;
    count(page.removed);
    if (page.cutAfter) log.info({ audit: page.cutAfter }, "the audit chain was cut after this link");
  }
  return all;
}
