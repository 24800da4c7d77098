import type { EntityManager } from "typeorm";
import { z } from "zod";
import { catalogueRows, type ProductRow } from "../../db/dao/catalogue/catalogue-rows.ts";
import { NotFoundError } from "../../errors.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { placeholderUrl } from "../../services/catalogue/placeholder-url.ts";
import { timestamp } from "../http/fields.ts";
import {
  declareFields,
  flagColumn,
  numberColumn,
  plainColumn,
  type TextRow,
  textColumn,
  timeColumn,
} from "../http/row-fields.ts";
import type { ApiContext } from "../http/types.ts";
import { PictureDetail, pictureDetail, type Show } from "../routes/catalogue/with-image.ts";
import { NestedSubCategory } from "./category.ts";
import { pictureUrl } from "./image.ts";
import { type Parents, parentBytes, parentsOf } from "./parents.ts";

/** What a row of the catalogue needs to be written besides its columns. */
export interface RowMeans {
  parents: Parents;
  store: ObjectStore;
}

/** The picture of a row as JSON, from these two columns; undefined when it has none. */
export function pictureJson(row: TextRow, imageUrlAt: number, objectKeyAt: number, store: ObjectStore) {
  const [imageUrl, objectKey] = [row[imageUrlAt], row[objectKeyAt]];
  if (objectKey) return JSON.stringify(store.publicUrl(objectKey));
  return imageUrl ? JSON.stringify(imageUrl) : undefined;
}

/** The picture of a product, whose columns begin at `at`. */
export const productPictureJson = (row: TextRow, at: number, store: ObjectStore) =>
  pictureJson(row, at + 7, at + 8, store) ?? quotedPlaceholder;

const quotedPlaceholder = JSON.stringify(placeholderUrl);

function parentJson(row: TextRow, at: number, { parents }: RowMeans) {
  const parent = parents.get(String(row[at + 5]));
  if (!parent) throw new Error(`Sub-category '${row[at + 5]}' was not loaded`);
  return parentBytes(parent);
}

/** A product inside another entity, and in lists: schema and JSON; the columns are those of `ProductTexts`. */
export const productFields = declareFields({
  id: plainColumn(z.uuid(), 0),
  name: textColumn(z.string(), 1, true),
  slug: textColumn(z.string(), 2),
  cross_number: textColumn(z.string().nullable(), 3),
  bitrix_id: textColumn(z.string().nullable(), 4),
  sub_category_id: plainColumn(z.uuid(), 5),
  sub_category: { schema: NestedSubCategory, write: parentJson, isAlone: true },
  is_deleted: flagColumn(z.boolean(), 6),
  image_url: {
    schema: z.url(),
    write: (row: TextRow, at: number, { store }: RowMeans) => productPictureJson(row, at, store),
  },
  total_quantity: numberColumn(z.int().meta({ description: "Pieces of all its offers" }), 11),
  min_price_rub: numberColumn(
    z
      .int()
      .nullable()
      .meta({ description: "Lowest retail price in stock, or of all its offers when nothing is; null without offers" }),
    12,
  ),
  created_at: timeColumn(timestamp, 9),
  updated_at: timeColumn(timestamp, 10),
});

export const NestedProduct = productFields.schema.meta({ id: "NestedProduct" });
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
