import { z } from "zod";
import type { ObjectStore } from "../../platform/object-store.ts";
import { placeholderUrl } from "../../services/catalogue/placeholder-url.ts";
import { timestamp } from "../http/fields.ts";
import { pictureUrl, type WithImage } from "./image.ts";

const fields = { id: z.uuid(), name: z.string(), slug: z.string(), image_url: z.url() };
const times = { created_at: timestamp, updated_at: timestamp };

/** A category inside another entity. */
export const NestedCategory = z.object({ ...fields, ...times }).meta({ id: "NestedCategory" });
export type NestedCategoryView = z.output<typeof NestedCategory>;

/** A sub-category inside another entity. */
export const NestedSubCategory = z
  .object({ ...fields, category_id: z.uuid(), category: NestedCategory, ...times })
  .meta({ id: "NestedSubCategory" });
export type NestedSubCategoryView = z.output<typeof NestedSubCategory>;

interface Row extends WithImage {
  id: string;
  name: string;
  slug: string;
  createdAt: Date;
  updatedAt: Date;
}

/** A category as other entities show it. */
export function nestedCategoryView(row: Row, store: ObjectStore): NestedCategoryView {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    image_url: pictureUrl(row, store) ?? placeholderUrl,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

/** A sub-category as other entities show it. */
export function nestedSubCategoryView(
  row: Row & { categoryId: string },
  category: NestedCategoryView,
  store: ObjectStore,
): NestedSubCategoryView {
  return { ...nestedCategoryView(row, store), category_id: row.categoryId, category };
}
