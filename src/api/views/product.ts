import type { EntityManager } from "typeorm";
import { z } from "zod";
import { catalogueRows, type ProductRow } from "../../db/dao/catalogue/catalogue-rows.ts";
import { NotFoundError } from "../../errors.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { placeholderUrl } from "../../services/catalogue/placeholder-url.ts";
import { timestamp } from "../http/fields.ts";
import type { ApiContext } from "../http/types.ts";
import { PictureDetail, pictureDetail, type Show } from "../routes/catalogue/with-image.ts";
import { NestedSubCategory } from "./category.ts";
import { pictureUrl } from "./image.ts";
import { type Parents, parentsOf } from "./parents.ts";

/** A product inside another entity, and in lists. */
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
    min_price_rub: z
      .int()
      .nullable()
      .meta({ description: "Lowest retail price in stock, or of all its offers when nothing is; null without offers" }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "NestedProduct" });
export type NestedProductView = z.output<typeof NestedProduct>;

/** A product as other entities show it; its sub-category has to be among the parents. */
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

/** A product by itself. */
export const ProductDetail = NestedProduct.extend(PictureDetail).meta({ id: "ProductDetail" });

/** The product with this id, slug or former id, deleted or not; throws when there is none. */
export async function productDetail(
  context: ApiContext,
  reader: EntityManager,
  column: "id" | "slug" | "bitrix_id",
  value: string,
): Promise<z.output<typeof ProductDetail>> {
  const row = await catalogueRows.product(reader, column, value);
  if (!row) throw new NotFoundError("Product not found");
  const parents = await parentsOf(context, reader, [row.subCategoryId]);
  return { ...nestedProductView(row, parents, context.store), ...pictureDetail(row, row.imageJob, context) };
}

/** The id of the product that filters a list of offers; throws when there is none. */
export async function productIdOf(reader: EntityManager, slug: string): Promise<string> {
  const product = await catalogueRows.product(reader, "slug", slug);
  if (!product) throw new NotFoundError("Product not found");
  return product.id;
}

export const showProduct = ((context, reader, id) => productDetail(context, reader, "id", id)) satisfies Show;
