import { createHash } from "node:crypto";
import type { Image, ImageVariant } from "../../db/entities/catalogue/image.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { makeWebImages, recipeVersion, type Variant } from "./recipe.ts";

/** For objects that are never overwritten with other content. */
export const forever = "public, max-age=31536000, immutable";

/** The stored images, for the row of the picture. */
export interface StoredWebImages {
  variants: ImageVariant[];
  thumbhash: string;
}

/**
 * Makes the web images of `source`, stores them, and overwrites the object behind the picture's address with the
 * widest. They are named after the source and the recipe: repeated, it gives the same names and bytes. Throws as
 * `makeWebImages` and `ObjectStore.put`.
 */
export async function storeWebImages(
  store: ObjectStore,
  source: Buffer,
  { objectKey }: Pick<Image, "objectKey">,
  signal: AbortSignal,
): Promise<StoredWebImages> {
  const { variants, thumbhash } = await makeWebImages(source, signal);
  const folder = createHash("sha256").update(source).digest("hex").slice(0, 32);
  const named = variants.map((variant) => ({ ...variant, key: keyOf(folder, variant) }));
  const put = (key: string, { type, data }: Variant) =>
    store.put(key, data, { contentType: type, cacheControl: forever }, { signal });
  await Promise.all(named.map((variant) => put(variant.key, variant)));
  await put(objectKey, widestWebp(variants));
  return {
    variants: named.map(({ key, width, height, type, data }) => ({ key, width, height, bytes: data.length, type })),
    thumbhash,
  };
}

/** True when these are of the present recipe. */
export function areCurrent(variants: readonly ImageVariant[]) {
  return variants.length > 0 && variants.every(({ key }) => key.split("/").at(-1)?.startsWith(`${recipeVersion}-`));
}

function keyOf(folder: string, { width, type }: Variant) {
  return `images/${folder}/${recipeVersion}-${width}.${type.split("/")[1]}`;
}

function widestWebp(variants: Variant[]) {
  const [widest] = variants.filter(({ type }) => type === "image/webp").sort((a, b) => b.width - a.width);
  if (!widest) throw new Error("The recipe made no WebP");
  return widest;
}
