import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { children, subCategories } from "../../db/dao/catalogue/categories.ts";
import { BadRequestError, NotFoundError } from "../../errors.ts";
import { addImage, changeImage, promiseImage, type StagedImage } from "./images.ts";
import { constraintErrors, refuseChildren } from "./refusals.ts";
import { slugOf } from "./slug.ts";

const notFound = () => new NotFoundError("Sub Category not found");

export interface NewSubCategory {
  name: string;
  categoryId: string;
  image: StagedImage;
}

/**
 * Saves a sub-category with its picture still to come; returns its id. Throws when the slug is taken or the category
 * unknown.
 */
export async function createSubCategory(tx: EntityManager, { name, categoryId, image }: NewSubCategory) {
  const id = uuidv7();
  const values = { id, name, slug: slugOf(name, id), categoryId };
  await addImage(tx, image, null);
  await subCategories.insert(tx, { ...values, imageId: image.id }).catch(refuse(values));
  await promiseImage(tx, { entity: "sub-category", entityId: id, imageId: image.id });
  return id;
}

export interface SubCategoryChange {
  name?: string | undefined;
  categoryId?: string | undefined;
  image?: StagedImage | undefined;
}

/** Changes the given fields of a sub-category. The slug changes only with the name. */
export async function changeSubCategory(tx: EntityManager, id: string, { name, categoryId, image }: SubCategoryChange) {
  if (name === undefined && categoryId === undefined && !image) {
    throw new BadRequestError("No data provided for update");
  }
  const subCategory = await subCategories.lock(tx, id);
  if (!subCategory) throw new NotFoundError("Entity not found");

  const change = {
    ...(name !== undefined && name !== subCategory.name && { name, slug: slugOf(name, id) }),
    ...(categoryId !== undefined && categoryId !== subCategory.categoryId && { categoryId }),
  };
  if (Object.keys(change).length > 0) await subCategories.patch(tx, id, change).catch(refuse(change));
  if (image) await changeImage(tx, "sub-category", subCategory, image);
}

/** Deletes a sub-category; refuses while it has products, deleted ones too: old orders lead to them. */
export async function deleteSubCategory(tx: EntityManager, id: string) {
  const advice =
    "move them first, by PATCH /products/{id} with another sub_category_id. A deleted one is moved after POST " +
    "/products/{id}/restore, and may then be deleted again: old orders lead to it";
  const words = { what: `Sub-category '${id}'`, one: "product", many: "products", advice };
  refuseChildren(await children.ofSubCategory(tx, id), words);
  // One may have been added since.
  const hasChildren = `Sub-category '${id}' still has products; ${advice}`;
  const removed = await subCategories
    .remove(tx, id)
    .catch(constraintErrors({ products_sub_category_id_fkey: hasChildren }));
  if (!removed) throw notFound();
}

/** A sub-category with its picture and category, by id. */
export async function getSubCategory(tx: EntityManager, id: string) {
  return (await subCategories.findById(tx, id)) ?? Promise.reject(notFound());
}

/** A sub-category with its picture and category, by slug. */
export async function getSubCategoryBySlug(tx: EntityManager, slug: string) {
  return (await subCategories.findBySlug(tx, slug)) ?? Promise.reject(notFound());
}

/** The id of the sub-category that a list of products is asked for by; contract 1.11 has another sentence here. */
export async function getSubCategoryIdBySlug(tx: EntityManager, slug: string) {
  const subCategory = await subCategories.findBySlug(tx, slug);
  if (!subCategory) throw new NotFoundError("SubCategory not found");
  return subCategory.id;
}

function refuse({ slug, categoryId }: { slug?: string; categoryId?: string }) {
  return constraintErrors({
    sub_categories_slug_key: `A sub-category with the slug '${slug}' exists already; choose another name`,
    sub_categories_category_id_fkey: `Category '${categoryId}' does not exist; choose one that does`,
  });
}
