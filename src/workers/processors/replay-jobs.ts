import { setTimeout as sleep } from "node:timers/promises";
import { jobQueries, reopenJob } from "../../engine/index.ts";
import type { Processor } from "../context.ts";

const maxPage = 100;

/**
 * Reopens the jobs of a replay, page by page. Safe to repeat: a reopened job is not found any more, and jobs that have
 * ended since are left out.
 */
export const replayJobsProcessor: Processor<"replay-jobs"> = {
  async run(job) {
    const { filter, limitPerMinute, before } = job.payload;
    // At most a tenth of a minute's share, so that a cancel is not late.
    const size = Math.max(1, Math.min(maxPage, Math.floor(limitPerMinute / 10)));
    let replayed = 0;
    for (;;) {
      let left = 0;
      let found = 0;
      await job.commit(async (tx) => {
        const { ids, count } = await jobQueries.unsuccessful(tx, filter, new Date(before), size);
        for (const id of ids) await reopenJob(tx, id);
        [found, left] = [ids.length, count - ids.length];
      });
      replayed += found;
      job.progress(replayed, replayed + left);
      if (found === 0) return job.complete(async () => ({ replayed }));
      if (left > 0) await sleep((found / limitPerMinute) * 60_000, undefined, { signal: job.signal });
    }
  },
};
