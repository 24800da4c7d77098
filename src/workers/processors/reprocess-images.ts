import { images } from "../../db/dao/catalogue/images.ts";
import { enqueueAll, priorities } from "../../engine/index.ts";
import { remakeImage } from "../../jobs/remake-image.ts";
import type { Processor } from "../context.ts";

/** Children in one transaction. */
const pageSize = 500;
const firstId = "00000000-0000-0000-0000-000000000000";

/**
 * Enqueues one child for each published picture, page by page. After a crash it starts again: enqueued children keep
 * their keys, so no work is done twice.
 */
export const reprocessImagesProcessor: Processor<"reprocess-images"> = {
  async run(job, { db }) {
    const { runId } = job.payload;
    const total = await images.countPublished(db.manager);
    let promised = 0;
    for (let after = firstId, isLast = false; !isLast; ) {
      job.signal.throwIfAborted();
      const page = await images.pageOfPublished(db.manager, after, pageSize);
      const payloads = page.map((imageId) => ({ runId, imageId }));
      const options = { parentId: job.id, priority: priorities.bulk };
      if (page.length > 0) await job.commit((tx) => enqueueAll(tx, remakeImage, payloads, options));
      promised += page.length;
      job.progress(promised, Math.max(total, promised));
      after = page.at(-1) ?? after;
      isLast = page.length < pageSize;
    }
    await job.complete(async () => ({ images: promised }));
  },
};
