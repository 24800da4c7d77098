import { z } from "zod";
import { defineJob, priorities } from "../engine/index.ts";

/** Makes the web images of one published picture anew, if they are of an older recipe. */
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
  // Its few turns at a time leave the workers to uploads, which have a person waiting.
  group: ({ runId }) => runId,
  priority: priorities.bulk,
  retry: { attempts: 3 },
  description: "Makes the web images of a published picture anew by the present recipe.",
});
