import { z } from "zod";
import type { ProductRow } from "../../db/dao/catalogue-rows.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { timestamp } from "../fields.ts";
import { NestedSubCategory } from "./category.ts";
import { pictureUrl, placeholderUrl } from "./image.ts";
import type { Parents } from "./parents.ts";

/** A product inside something else, and in lists. */
export const NestedProduct = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    cross_number: z.string().nullable(),
    bitrix_id: z.string().nullable(),
    sub_category_id: z.uuid(),
    sub_category: NestedSubCategory,
    is_deleted: z.boolean(),
    image_url: z.url(),
    total_quantity: z.int().meta({ description: "Pieces of all its offers" }),
    min_price_rub: z.int().nullable().meta({ description: "Lowest retail price of its offers; null without offers" }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "NestedProduct" });
export type NestedProductView = z.output<typeof NestedProduct>;

/** A product as other things show it; its sub-category has to be among the parents. */
export function nestedProductView(row: ProductRow, parents: Parents, store: ObjectStore): NestedProductView {
  const subCategory = parents.get(row.subCategoryId);
  if (!subCategory) throw new Error(`Sub-category '${row.subCategoryId}' of product '${row.id}' was not loaded`);
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    cross_number: row.crossNumber,
    bitrix_id: row.bitrixId,
    sub_category_id: row.subCategoryId,
    sub_category: subCategory,
    is_deleted: row.isDeleted,
    image_url: pictureUrl(row, store) ?? placeholderUrl,
    total_quantity: row.totalQuantity,
    min_price_rub: row.minPriceRub,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
