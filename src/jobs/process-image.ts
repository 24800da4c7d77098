import { z } from "zod";
import { defineJob, priorities } from "../engine/index.ts";

/** Turns a staged upload into the published web images of one catalogue entity. */
export const processImage = defineJob({
  name: "process-image",
  queue: "images",
  payload: z.object({
    /** After a value here `services/catalogue/images.ts` does not compile until it has that entity's DAO. */
    entity: z.enum(["category", "sub-category", "product", "offer"]),
    entityId: z.uuid(),
    /** Row of `images` of the upload. */
    imageId: z.uuid(),
  }),
  key: ({ imageId }) => imageId,
  entity: ({ entity, entityId }) => ({ type: entity, id: entityId }),
  priority: priorities.interactive,
  retry: { backoffMs: 1_000, outageMs: 2_000 },
  timeoutMs: 30_000,
  description: "Makes the web images of an uploaded photo and publishes them.",
});
