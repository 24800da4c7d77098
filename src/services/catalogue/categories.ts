import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { categories, children } from "../../db/dao/catalogue/categories.ts";
import { BadRequestError, NotFoundError } from "../../errors.ts";
import { addImage, changeImage, promiseImage, type StagedImage } from "./images.ts";
import { constraintErrors, refuseChildren } from "./refusals.ts";
import { slugOf } from "./slug.ts";

const notFound = () => new NotFoundError("Category not found");

/** Saves a category with its picture still to come; returns its id. Throws when the name is taken or has no letters. */
export async function createCategory(tx: EntityManager, { name, image }: { name: string; image: StagedImage }) {
  const id = uuidv7();
  const slug = slugOf(name, id);
  await addImage(tx, image, null);
  await categories.insert(tx, { id, name, slug, imageId: image.id }).catch(refuse(name, slug));
  await promiseImage(tx, { entity: "category", entityId: id, imageId: image.id });
  return id;
}

export interface CategoryChange {
  name?: string | undefined;
  image?: StagedImage | undefined;
}

/** Renames a category, replaces its picture, or both. The slug changes only with the name. */
export async function changeCategory(tx: EntityManager, id: string, { name, image }: CategoryChange) {
  if (name === undefined && !image) throw new BadRequestError("No data provided for update");
  const category = await categories.lock(tx, id);
  if (!category) throw new NotFoundError("Entity not found");

  if (name !== undefined && name !== category.name) {
    const slug = slugOf(name, id);
    await categories.patch(tx, id, { name, slug }).catch(refuse(name, slug));
  }
  if (image) await changeImage(tx, "category", category, image);
}

/** Deletes a category; refuses while it has sub-categories. */
export async function deleteCategory(tx: EntityManager, id: string) {
  const advice = "delete them first, or move them by PATCH /sub-categories/{id} with another category_id";
  const words = { what: `Category '${id}'`, one: "sub-category", many: "sub-categories", advice };
  refuseChildren(await children.ofCategory(tx, id), words);
  // One may have been added since.
  const hasChildren = `Category '${id}' still has sub-categories; ${advice}`;
  const removed = await categories
    .remove(tx, id)
    .catch(constraintErrors({ sub_categories_category_id_fkey: hasChildren }));
  if (!removed) throw notFound();
}

/** A category with its picture, by id. */
export async function getCategory(tx: EntityManager, id: string) {
  return (await categories.findById(tx, id)) ?? Promise.reject(notFound());
}

/** A category with its picture, by slug. */
export async function getCategoryBySlug(tx: EntityManager, slug: string) {
  return (await categories.findBySlug(tx, slug)) ?? Promise.reject(notFound());
}

function refuse(name: string, slug: string) {
  const taken = (what: string) => `A category with the ${what} exists already; choose another name`;
  return constraintErrors({
    categories_slug_key: taken(`slug '${slug}'`),
    categories_name_key: taken(`name '${name}'`),
  });
}
