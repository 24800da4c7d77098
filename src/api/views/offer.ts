import type { EntityManager } from "typeorm";
import { z } from "zod";
import { catalogueRows, type OfferRow } from "../../db/dao/catalogue/catalogue-rows.ts";
import { NotFoundError } from "../../errors.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { wholesalePriceRub } from "../../services/orders/prices.ts";
import { timestamp } from "../http/fields.ts";
import type { JsonWriter } from "../http/json-writer.ts";
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
import { pictureUrl } from "./image.ts";
import { parentsOf } from "./parents.ts";
import {
  NestedProduct,
  type NestedProductView,
  nestedProductView,
  pictureJson,
  productFields,
  productPictureJson,
  type RowMeans,
} from "./product.ts";

/** Where the columns of its product begin in a row of `OfferTexts`. */
const productAt = 15;

/** An offer inside another entity, and in lists: schema and JSON; the columns are those of `OfferTexts`. */
export const offerFields = declareFields({
  id: plainColumn(z.uuid(), 0),
  product_id: plainColumn(z.uuid(), 1),
  product: {
    schema: NestedProduct,
    isAlone: true,
    write(row: TextRow, _at: number, means: RowMeans, writer: JsonWriter) {
      productFields.write(writer, row, productAt, means);
      return undefined;
    },
  },
  sku: textColumn(z.string().nullable(), 2),
  address_id: textColumn(z.string().nullable().meta({ description: "The same as sku" }), 2),
  offer_bitrix_id: textColumn(z.string().nullable(), 3),
  brand: textColumn(z.string(), 4),
  manufacturer_number: textColumn(z.string(), 5),
  internal_description: textColumn(z.string().nullable(), 6),
  price_rub: numberColumn(z.int(), 7),
  super_wholesale_price_rub: numberColumn(z.int(), 8),
  wholesale_price_rub: {
    schema: z.int().meta({ description: "Mean of the two other prices, rounded half up" }),
    write: (row: TextRow) =>
      String(wholesalePriceRub({ priceRub: Number(row[7]), superWholesalePriceRub: Number(row[8]) })),
  },
  quantity: numberColumn(z.int(), 9),
  is_deleted: flagColumn(z.boolean(), 10),
  image_url: {
    schema: z.url(),
    write: (row: TextRow, _at: number, { store }: RowMeans) =>
      pictureJson(row, 11, 12, store) ?? productPictureJson(row, productAt, store),
  },
  created_at: timeColumn(timestamp, 13),
  updated_at: timeColumn(timestamp, 14),
});

export const NestedOffer = offerFields.schema.meta({ id: "NestedOffer" });
export type NestedOfferView = z.output<typeof NestedOffer>;

/** An offer as other entities show it; without a picture of its own it has its product's. */
export function nestedOfferView(row: OfferRow, product: NestedProductView, store: ObjectStore): NestedOfferView {
  return {
    id: row.id,
    product_id: row.productId,
    product,
    sku: row.sku,
    address_id: row.sku,
    offer_bitrix_id: row.offerBitrixId,
    brand: row.brand,
    manufacturer_number: row.manufacturerNumber,
    internal_description: row.internalDescription,
    price_rub: row.priceRub,
    super_wholesale_price_rub: row.superWholesalePriceRub,
    wholesale_price_rub: wholesalePriceRub(row),
    quantity: row.quantity,
    is_deleted: row.isDeleted,
    image_url: pictureUrl(row, store) ?? product.image_url,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

/** Views of these rows, in their order; one more statement for all their products. */
export async function viewOffers(
  context: ApiContext,
  reader: EntityManager,
  rows: readonly OfferRow[],
): Promise<NestedOfferView[]> {
  if (rows.length === 0) return [];
  const { store } = context;
  const products = await catalogueRows.products(reader, [...new Set(rows.map(({ productId }) => productId))]);
  const parents = await parentsOf(
    context,
    reader,
    products.map(({ subCategoryId }) => subCategoryId),
  );
  const views = new Map(products.map((row) => [row.id, nestedProductView(row, parents, store)]));
  return rows.map((row) => {
    const product = views.get(row.productId);
    if (!product) throw new Error(`Product '${row.productId}' of offer '${row.id}' was not loaded`);
    return nestedOfferView(row, product, store);
  });
}

/** Offers of these ids for the lines of orders, waybills and carts, by id; two statements, deleted offers too. */
export async function offerViewsById(
  context: ApiContext,
  reader: EntityManager,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, NestedOfferView>> {
  const wanted = [...new Set(ids)];
  const rows = wanted.length > 0 ? await catalogueRows.offers(reader, wanted) : [];
  const views = await viewOffers(context, reader, rows);
  return new Map(views.map((view) => [view.id, view]));
}

/** An offer by itself. */
export const OfferDetail = NestedOffer.extend(PictureDetail).meta({ id: "OfferDetail" });

/** The offer with this id, deleted or not; throws when there is none. */
export const showOffer = (async (context, reader, id): Promise<z.output<typeof OfferDetail>> => {
  const row = await catalogueRows.offer(reader, id);
  const [view] = row ? await viewOffers(context, reader, [row]) : [];
  if (!row || !view) throw new NotFoundError("Offer not found");
  return { ...view, ...pictureDetail(row, row.imageJob, context, view.image_url) };
}) satisfies Show;
