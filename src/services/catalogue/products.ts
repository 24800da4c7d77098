import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { offers } from "../../db/dao/catalogue/offers.ts";
import { products } from "../../db/dao/catalogue/products.ts";
import { BadRequestError, NotFoundError } from "../../errors.ts";
import { addImage, changeImage, promiseImage, type StagedImage } from "./images.ts";
import { constraintErrors } from "./refusals.ts";
import { slugOf } from "./slug.ts";

export interface NewProduct {
  name: string;
  subCategoryId: string;
  crossNumber: string | null;
  image: StagedImage;
}

/**
 * Saves a product with its picture still to come; returns its id. Throws when the slug is taken or the sub-category
 * unknown.
 */
export async function createProduct(tx: EntityManager, { image, ...given }: NewProduct) {
  const id = uuidv7();
  const values = { ...given, id, slug: slugOf(given.name, id) };
  await addImage(tx, image, null);
  await products.insert(tx, { ...values, imageId: image.id }).catch(refuse(values));
  await promiseImage(tx, { entity: "product", entityId: id, imageId: image.id });
  return id;
}

export interface ProductChange {
  name?: string | undefined;
  subCategoryId?: string | undefined;
  crossNumber?: string | null | undefined;
  image?: StagedImage | undefined;
}

/** Changes the given fields of a product that is not deleted. The slug changes only with the name. */
export async function changeProduct(tx: EntityManager, id: string, { image, ...given }: ProductChange) {
  if (Object.values(given).every((value) => value === undefined) && !image) {
    throw new BadRequestError("No data provided for update");
  }
  const product = await products.lock(tx, id);
  if (!product || product.isDeleted) throw new NotFoundError("Entity not found");

  const { name, subCategoryId, crossNumber } = given;
  const change = {
    ...(name !== undefined && name !== product.name && { name, slug: slugOf(name, id) }),
    ...(subCategoryId !== undefined && subCategoryId !== product.subCategoryId && { subCategoryId }),
    ...(crossNumber !== undefined && crossNumber !== product.crossNumber && { crossNumber }),
  };
  if (Object.keys(change).length > 0) await products.patch(tx, id, change).catch(refuse(change));
  if (image) await changeImage(tx, "product", product, image);
}

/** Hides a product and its offers; by id and slug it can still be read. Throws when it is hidden already. */
export async function deleteProduct(tx: EntityManager, id: string) {
  if (!(await products.remove(tx, id))) throw new NotFoundError("Product not found");
  await offers.removeOfProduct(tx, id);
}

/** Shows a deleted product again, without its offers; may be repeated. Throws when there is none. */
export async function restoreProduct(tx: EntityManager, id: string) {
  const product = await products.lock(tx, id);
  if (!product) throw new NotFoundError("Product not found");
  if (product.isDeleted) await products.restore(tx, id);
}

function refuse({ slug, subCategoryId }: { slug?: string; subCategoryId?: string }) {
  return constraintErrors({
    products_slug_key: `A product with the slug '${slug}' exists already; choose another name`,
    products_sub_category_id_fkey: `Sub-category '${subCategoryId}' does not exist; choose one that does`,
  });
}
