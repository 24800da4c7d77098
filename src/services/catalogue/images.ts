import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { categories, subCategories } from "../../db/dao/catalogue/categories.ts";
import { images, type Publication } from "../../db/dao/catalogue/images.ts";
import { offers } from "../../db/dao/catalogue/offers.ts";
import { products } from "../../db/dao/catalogue/products.ts";
import { type EnqueueOptions, enqueue, type PayloadOf } from "../../engine/index.ts";
import { processImage } from "../../jobs/process-image.ts";
import { reprocessImages } from "../../jobs/reprocess-images.ts";

type Payload = PayloadOf<typeof processImage>;

/** An upload that waits in the bucket: the untouched original, and a placeholder under the name of the picture. */
export interface StagedImage {
  id: string;
  objectKey: string;
  stagedKey: string;
  sha256: string;
  bytes: number;
}

/** Entities with a picture: how to find which one they show, and how to mark them as changed. */
const owners = {
  category: categories,
  "sub-category": subCategories,
  product: products,
  offer: offers,
} satisfies Record<Payload["entity"], unknown>;

/** Inserts an upload; the entity may point at it from now on. `replacesId` is the picture shown until now. */
export function addImage(tx: EntityManager, image: StagedImage, replacesId: string | null) {
  const { id, objectKey, stagedKey, sha256, bytes } = image;
  return images.insert(tx, { id, objectKey, stagedKey, sourceSha256: sha256, sourceBytes: bytes, replacesId });
}

/** Gives an entity a new picture, still to be made; if it turns out unusable, the present one is shown again. */
export async function changeImage(
  tx: EntityManager,
  entity: Payload["entity"],
  { id, imageId }: { id: string; imageId: string | null },
  image: StagedImage,
) {
  await addImage(tx, image, await lastPublished(tx, imageId));
  await owners[entity].patch(tx, id, { imageId: image.id });
  await promiseImage(tx, { entity, entityId: id, imageId: image.id });
}

/** The picture that is shown for `imageId`: itself once it is published, until then the previous one. */
async function lastPublished(tx: EntityManager, imageId: string | null) {
  const image = imageId ? await images.findById(tx, imageId) : null;
  return image?.publishedAt ? image.id : (image?.replacesId ?? null);
}

/** Enqueues the job that makes the web images of an upload; returns the id of the job. */
export async function promiseImage(tx: EntityManager, payload: Payload, options?: EnqueueOptions) {
  const jobId = await enqueue(tx, processImage, payload, options);
  await images.attachJob(tx, payload.imageId, jobId);
  return jobId;
}

/** The upload of a job; null once it is published, replaced by a newer one, or its entity is deleted. */
export async function awaitedImage(tx: EntityManager, { entity, entityId, imageId }: Payload) {
  const owner = await owners[entity].findById(tx, entityId);
  if (owner?.imageId !== imageId) return null;
  return owner.image?.publishedAt ? null : owner.image;
}

/** Shows the variants of a former picture for an upload that turned out unusable. */
export async function showFormerImage(tx: EntityManager, { entity, entityId, imageId }: Payload, former: Publication) {
  await images.showInstead(tx, imageId, former);
  await owners[entity].touch(tx, entityId);
}

/** Shows the finished web images of an upload. Belongs in the transaction that completes the job. */
export async function publishImage(tx: EntityManager, { entity, entityId, imageId }: Payload, result: Publication) {
  await images.publish(tx, imageId, result);
  await owners[entity].touch(tx, entityId);
}

/** Shows web images that were made again of a published picture; false when it is deleted. */
export async function showAnew(tx: EntityManager, imageId: string, result: Publication): Promise<boolean> {
  if (!(await images.showAnew(tx, imageId, result))) return false;
  for (const owner of Object.values(owners)) await owner.touchShowing(tx, imageId);
  return true;
}

/**
 * Enqueues the job that makes the web images of all published pictures again with the present recipe; returns its id.
 */
export function requestReprocessing(tx: EntityManager): Promise<string> {
  return enqueue(tx, reprocessImages, { runId: uuidv7() });
}
