import { z } from "zod";
import type { Image } from "../../db/entities/catalogue/image.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { placeholderUrl } from "../../services/catalogue/placeholder-url.ts";

/** Fields of all entities with a picture. */
export const ImageView = {
  image_url: z.url().meta({
    description: "The picture, at most 1280 wide; a placeholder until it is processed. Changes with every new picture",
  }),
  images: z
    .array(z.object({ url: z.url(), width: z.int(), height: z.int(), bytes: z.int(), type: z.string() }))
    .meta({ description: "The same picture in several widths and types; empty until it is processed" }),
  thumbhash: z.string().nullable().meta({ description: "Base64 of a blurred preview, see evanw.github.io/thumbhash" }),
};

/** The picture of a row. */
export interface WithImage {
  imageUrl: string | null;
  image: Pick<Image, "objectKey" | "variants" | "thumbhash"> | null;
}

/** The address of a picture; null when there is none. */
export function pictureUrl({ image, imageUrl }: WithImage, store: ObjectStore): string | null {
  return image ? store.publicUrl(image.objectKey) : imageUrl || null;
}

/** The picture of an entity: its newest upload, else one stored elsewhere, else the placeholder. */
export function imageView(row: WithImage, store: ObjectStore, fallback = placeholderUrl) {
  const { image } = row;
  return {
    image_url: pictureUrl(row, store) ?? fallback,
    images: (image?.variants ?? []).map(({ key, ...variant }) => ({ url: store.publicUrl(key), ...variant })),
    thumbhash: image?.thumbhash ?? null,
  };
}
