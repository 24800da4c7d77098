import { ensureFeed } from "../../services/documents/documents.ts";
import type { Processor } from "../context.ts";

/** Enqueues the feed, unless it is up to date; the feed is a child, so this job ends with it. */
export const publishFeedProcessor: Processor<"publish-feed"> = {
  async run(job, { shop }) {
    await job.complete(async (tx) => ({ wasThere: await ensureFeed(tx, shop, { parentId: job.id }) }));
  },
};
