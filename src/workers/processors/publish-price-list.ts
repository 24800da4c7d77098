import { businessDay } from "../../services/business-day.ts";
import { ensurePriceList } from "../../services/documents/documents.ts";
import type { Processor } from "../context.ts";

/** Enqueues the list of the slot's day, unless it exists; the list is a child, so this job ends with it. */
export const publishPriceListProcessor: Processor<"publish-price-list"> = {
  async run(job, { shop }) {
    const day = businessDay(new Date(job.payload.slot));
    await job.complete(async (tx) => ({ day, wasThere: await ensurePriceList(tx, day, shop, { parentId: job.id }) }));
  },
};
