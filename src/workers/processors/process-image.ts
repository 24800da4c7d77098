import { createHash } from "node:crypto";
import { images } from "../../db/dao/catalogue/images.ts";
import type { Image } from "../../db/entities/catalogue/image.ts";
import { PermanentError } from "../../engine/worker.ts";
import { dropCatalogue } from "../../platform/cache-tags.ts";
import { MissingObjectError } from "../../platform/object-store.ts";
import { awaitedImage, publishImage, showFormerImage } from "../../services/catalogue/images.ts";
import type { JobRun, Processor, WorkerContext } from "../context.ts";
import { UnusableImageError } from "../images/decode.ts";
import { forever, storeWebImages } from "../images/store-web-images.ts";

/**
 * Makes the web images of an upload and shows them. Safe to repeat: objects are named after the source and the recipe,
 * so the same upload gives the same names and bytes.
 */
export const processImageProcessor: Processor<"process-image"> = {
  async run(job, context) {
    const image = await awaitedImage(context.db.manager, job.payload);
    if (!image?.stagedKey) {
      return job.complete(async () => ({ skipped: "a newer picture has replaced it, or it was deleted" }));
    }
    try {
      await publish(job, context, image, image.stagedKey);
    } catch (error) {
      if (error instanceof UnusableImageError) await showFormer(job, context, image);
      throw error;
    }
  },

  async onSucceeded({ entity, imageId }, { db, store, cache }) {
    await dropCatalogue(cache, entity);
    const image = await images.findById(db.manager, imageId);
    if (!image?.stagedKey) return;
    await store.remove(image.stagedKey);
    await images.forgetStaged(db.manager, imageId);
  },
};

async function publish(job: JobRun<"process-image">, context: WorkerContext, image: Image, stagedKey: string) {
  const { store } = context;
  const { signal } = job;
  const source = await readStaged(context, image, stagedKey, signal);
  const made = await storeWebImages(store, source, image, signal);
  await job.complete(async (tx) => {
    await publishImage(tx, job.payload, made);
    return { variants: made.variants.length };
  });
}

async function readStaged({ store }: WorkerContext, image: Image, stagedKey: string, signal: AbortSignal) {
  const source = await store.get(stagedKey, { length: image.sourceBytes, signal }).catch((error: unknown) => {
    if (error instanceof MissingObjectError)
      throw new PermanentError("The uploaded file is not in the bucket any more");
    throw error;
  });
  const sha256 = createHash("sha256").update(source).digest("hex");
  if (sha256 === image.sourceSha256) return source;
  throw new PermanentError("The uploaded file has changed since it was uploaded");
}

/** After an unusable upload the previous picture is shown again; without one the placeholder stays. */
async function showFormer(job: JobRun<"process-image">, context: WorkerContext, image: Image) {
  const former = image.replacesId ? await images.findById(context.db.manager, image.replacesId) : null;
  if (!former?.publishedAt) return;
  const headers = { contentType: "image/webp", cacheControl: forever };
  await context.store.copy(former.objectKey, image.objectKey, headers, { signal: job.signal });
  await job.commit((tx) => showFormerImage(tx, job.payload, former));
  await dropCatalogue(context.cache, job.payload.entity);
}
