import { z } from "zod";
import { defineJob, priorities } from "../engine/index.ts";

/** Enqueues a `remake-image` for every published picture, and ends when all of them have. */
export const reprocessImages = defineJob({
  name: "reprocess-images",
  queue: "maintenance",
  payload: z.object({ runId: z.uuid() }),
  key: ({ runId }) => runId,
  entity: ({ runId }) => ({ type: "reprocessing", id: runId }),
  priority: priorities.bulk,
  timeoutMs: 600_000,
  description: "Has the web images of all published pictures made again.",
});
