import { images } from "../../db/dao/catalogue/images.ts";
import type { Image } from "../../db/entities/catalogue/image.ts";
import { PermanentError } from "../../engine/worker.ts";
import { showAnew } from "../../services/catalogue/images.ts";
import type { Processor } from "../context.ts";
import { areCurrent, storeWebImages } from "../images/store-web-images.ts";

/**
 * Makes the web images of a published picture again, unless they are of the present recipe. Uploads are removed once
 * they are published, so the source is the widest existing image; a recipe encodes it once, however often it runs. The
 * former objects stay until two passes of `collect-garbage` have found no reference to them.
 */
export const remakeImageProcessor: Processor<"remake-image"> = {
  async run(job, { db, store }) {
    const image = await images.findById(db.manager, job.payload.imageId);
    if (!image?.publishedAt) return job.complete(async () => ({ skipped: "it is not shown any more" }));
    if (areCurrent(image.variants)) return job.complete(async () => ({ skipped: "it is of the present recipe" }));
    const source = await store.get(sourceOf(image), { signal: job.signal });
    const made = await storeWebImages(store, source, image, job.signal);
    await job.complete(async (tx) =>
      (await showAnew(tx, image.id, made))
        ? { variants: made.variants.length }
        : { skipped: "it is not shown any more" },
    );
  },
};

function sourceOf({ id, variants }: Image): string {
  const [widest] = variants.filter(({ type }) => type === "image/webp").sort((a, b) => b.width - a.width);
  if (!widest) throw new PermanentError(`Picture '${id}' has no WebP as a source`);
  return widest.key;
}
