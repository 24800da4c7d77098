import { requestLowStockMails } from "../../services/stock/low-stock.ts";
import type { Processor } from "../context.ts";

/** Enqueues the mails of one day's digest, once. */
export const digestLowStockProcessor: Processor<"digest-low-stock"> = {
  async run(job, { mailRules: { staff } }) {
    const until = new Date(job.payload.slot);
    await job.complete(async (tx) => ({
      offers: await requestLowStockMails(tx, { until, staff }),
      staff: staff.length,
    }));
  },
};
