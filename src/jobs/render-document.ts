import { z } from "zod";
import { defineJob, priorities } from "../engine/index.ts";

/** Makes the file of a requested document, and stores it in the bucket. */
export const renderDocument = defineJob({
  name: "render-document",
  queue: "documents",
  payload: z.object({ documentId: z.uuid() }),
  key: ({ documentId }) => documentId,
  entity: ({ documentId }) => ({ type: "document", id: documentId }),
  priority: priorities.interactive,
  retry: { backoffMs: 1_000, outageMs: 2_000 },
  timeoutMs: 120_000,
  description: "Makes the file of a document: an order, an invoice, a waybill, a price list, a report, the feed.",
});
