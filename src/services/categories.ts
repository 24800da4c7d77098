import type { EntityManager } from "typeorm";
import { categories } from "../db/dao/categories.ts";
import { violatedForeignKey, violatedUnique } from "../db/postgres-errors.ts";
import { BadRequestError, ConflictError, NotFoundError, ValidationError } from "../errors.ts";
import { addImage, lastPublished, promiseImage, type StagedImage } from "./images.ts";
import { slugify } from "./slug.ts";

const notFound = () => new NotFoundError("Category not found");

/** Saves a category with its picture still to come; returns its id. Throws when the name is taken or has no letters. */
export async function createCategory(tx: EntityManager, { name, image }: { name: string; image: StagedImage }) {
  const slug = slugOf(name);
  await addImage(tx, image, null);
  const id = await categories.insert(tx, { name, slug, imageId: image.id }).catch(refuse(name, slug));
  await promiseImage(tx, { entity: "category", entityId: id, imageId: image.id });
  return id;
}

export interface CategoryChange {
  name?: string | undefined;
  image?: StagedImage | undefined;
}

/** Renames a category, gives it another picture, or both. The slug changes only with the name. */
export async function changeCategory(tx: EntityManager, id: string, { name, image }: CategoryChange) {
  if (name === undefined && !image) throw new BadRequestError("No data provided for update");
  const category = await categories.lock(tx, id);
  if (!category) throw new NotFoundError("Entity not found");

  if (name !== undefined && name !== category.name) {
    const slug = slugOf(name);
    await categories.patch(tx, id, { name, slug }).catch(refuse(name, slug));
  }
  if (image) {
    await addImage(tx, image, await lastPublished(tx, category.imageId));
    await categories.patch(tx, id, { imageId: image.id });
    await promiseImage(tx, { entity: "category", entityId: id, imageId: image.id });
  }
}

/** Deletes a category; refuses while it has sub-categories. */
export async function deleteCategory(tx: EntityManager, id: string) {
  const removed = await categories.remove(tx, id).catch((error: unknown) => {
    if (violatedForeignKey(error) === undefined) throw error;
    throw new ConflictError(`Category '${id}' still has sub-categories; delete or move them first`);
  });
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

function slugOf(name: string) {
  const slug = slugify(name);
  if (slug) return slug;
  const msg = "Value error, the name needs at least one letter or digit";
  throw new ValidationError([{ type: "value_error", loc: ["body", "name"], msg, input: name }]);
}

function refuse(name: string, slug: string) {
  return (error: unknown): never => {
    const constraint = violatedUnique(error);
    if (constraint === undefined) throw error;
    const taken = constraint === "categories_slug_key" ? `slug '${slug}'` : `name '${name}'`;
    throw new ConflictError(`A category with the ${taken} exists already; choose another name`);
  };
}
