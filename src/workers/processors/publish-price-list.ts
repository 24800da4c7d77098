import { businessDay } from "../../services/business-day.ts";
import { ensurePriceList } from "../../services/documents/documents.ts";
import type { Processor } from "../context.ts";

/** Promises the list of the slot's day, unless it is there; the list is a child, so this job is over when it is. */
export const publishPriceListProcessor: Processor<"publish-price-list"> = {
  async run(job, { shop }) {
    const day = businessDay(new Date(job.payload.slot));
    await job.complete(async (tx) => ({ day, wasThere: await ensurePriceList(tx, day, shop, { parentId: job.id }) }));
  },
};
