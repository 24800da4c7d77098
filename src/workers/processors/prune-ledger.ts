import type { EntityManager } from "typeorm";
import { mails } from "../../db/dao/mails.ts";
import { lastJobId, type PrunedPage, pruneIdempotencyKeys, pruneJobs, pruneReceivedEvents } from "../../db/prune.ts";
import type { JobRun, Processor } from "../context.ts";

type Run = JobRun<"prune-ledger">;

/** Rows in one transaction: a few dozen milliseconds, so that nobody waits for its locks. */
const batchSize = 1_000;

/** Removes old rows in short transactions, of which each counts by itself. Safe to repeat: what is gone is gone. */
export const pruneLedgerProcessor: Processor<"prune-ledger"> = {
  async run(job) {
    let total = 0;
    const count = (removed: number) => {
      total += removed;
      job.progress(total, null);
      return removed;
    };
    const counts = {
      jobs: await allJobs(job, count),
      idempotency_keys: await allOf(job, count, pruneIdempotencyKeys),
      received_events: await allOf(job, count, pruneReceivedEvents),
      mail_links: await allOf(job, count, mails.forgetLinks),
    };
    await job.complete(async () => counts);
  },
};

async function allJobs(job: Run, count: (removed: number) => number) {
  let all = 0;
  let page: PrunedPage = { removed: 0, next: lastJobId };
  while (page.next !== null) {
    const before = page.next;
    await job.commit(async (tx) => {
      page = await pruneJobs(tx, before, batchSize);
    });
    all += count(page.removed);
  }
  return all;
}

async function allOf(
  job: Run,
  count: (removed: number) => number,
  prune: (tx: EntityManager, size: number) => Promise<number>,
) {
  let all = 0;
  for (let removed = batchSize; removed === batchSize; ) {
    await job.commit(async (tx) => {
      removed = await prune(tx, batchSize);
    });
    all += count(removed);
  }
  return all;
}
