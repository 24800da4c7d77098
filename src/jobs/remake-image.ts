import { z } from "zod";
import { defineJob, priorities } from "../engine/index.ts";

/** Makes the web images of one published picture again, if they are of an older recipe. */
export const remakeImage = defineJob({
  name: "remake-image",
  queue: "images",
  payload: z.object({
    /** The run that it is a part of. */
    runId: z.uuid(),
    /** Row of `images`. */
    imageId: z.uuid(),
  }),
  key: ({ runId, imageId }) => `${runId}:${imageId}`,
  entity: ({ imageId }) => ({ type: "image", id: imageId }),
  // Few of these at a time leave the workers to uploads, for which a person waits.
  group: ({ runId }) => runId,
  priority: priorities.bulk,
  retry: { attempts: 3 },
  description: "Makes the web images of a published picture again with the present recipe.",
});
