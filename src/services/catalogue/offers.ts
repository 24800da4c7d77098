import type { EntityManager } from "typeorm";
import { offers } from "../../db/dao/catalogue/offers.ts";
import { products } from "../../db/dao/catalogue/products.ts";
import type { Offer } from "../../db/entities/catalogue/offer.ts";
import { BadRequestError, ConflictError, NotFoundError } from "../../errors.ts";
import { addImage, changeImage, promiseImage, type StagedImage } from "./images.ts";

type Values = Pick<
  Offer,
  "productId" | "brand" | "manufacturerNumber" | "priceRub" | "superWholesalePriceRub" | "sku" | "internalDescription"
>;

export type NewOffer = Values & { image?: StagedImage | undefined };

/** Saves an offer without stock; returns its id. Throws when the product is unknown or deleted. */
export async function createOffer(tx: EntityManager, { image, ...values }: NewOffer) {
  await lockProduct(tx, values.productId);
  if (image) await addImage(tx, image, null);
  const id = await offers.insert(tx, { ...values, imageId: image?.id ?? null });
  if (image) await promiseImage(tx, { entity: "offer", entityId: id, imageId: image.id });
  return id;
}

export type OfferChange = { [K in keyof NewOffer]?: NewOffer[K] | undefined };

/** Changes the given fields of an offer that is not deleted. Its stock changes only by the commit of a waybill. */
export async function changeOffer(tx: EntityManager, id: string, { image, ...given }: OfferChange) {
  const values = defined(given);
  if (Object.keys(values).length === 0 && !image) throw new BadRequestError("No data provided for update");
  const { productId } = requireShown(await offers.findById(tx, id));
  // Its new product is locked before the offer, as when a product is deleted with its offers.
  if (values.productId !== undefined && values.productId !== productId) await lockProduct(tx, values.productId);
  const offer = requireShown(await offers.lock(tx, id));

  const isNew = ([key, value]: [string, unknown]) => value !== offer[key as keyof Values];
  const change = Object.fromEntries(Object.entries(values).filter(isNew));
  if (Object.keys(change).length > 0) await offers.patch(tx, id, change);
  if (image) await changeImage(tx, "offer", offer, image);
}

/** Hides an offer; by id it can still be read. Throws when it is hidden already. */
export async function deleteOffer(tx: EntityManager, id: string) {
  if (!(await offers.remove(tx, id))) throw new NotFoundError("Offer not found");
}

/** Shows a deleted offer again; may be repeated. Throws when there is none, or its product is deleted. */
export async function restoreOffer(tx: EntityManager, id: string) {
  const offer = await offers.findById(tx, id);
  if (!offer) throw new NotFoundError("Offer not found");
  const { productId } = offer;
  if (!(await products.lockShared(tx, productId))) {
    const advice = `restore that one first, by POST /products/${productId}/restore`;
    throw new ConflictError(`Offer '${id}' is of product '${productId}', which is deleted; ${advice}`);
  }
  await offers.restore(tx, id);
}

function requireShown(offer: Offer | null): Offer {
  if (offer && !offer.isDeleted) return offer;
  throw new NotFoundError("Entity not found");
}

/** A product that is deleted meanwhile would leave an offer that cannot be bought. */
async function lockProduct(tx: EntityManager, id: string) {
  if (await products.lockShared(tx, id)) return;
  throw new ConflictError(`Product '${id}' does not exist or is deleted; choose another one`);
}

function defined(values: Partial<Record<keyof Values, unknown>>): Partial<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
