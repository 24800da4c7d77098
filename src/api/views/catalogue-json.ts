import type { OfferTexts, ProductTexts } from "../../db/dao/catalogue/catalogue-pages.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { placeholderUrl } from "../../services/catalogue/placeholder-url.ts";
import { wholesalePriceRub } from "../../services/orders/prices.ts";
import type { JsonWriter, WriteItem } from "../http/json-writer.ts";
import { type Parents, parentBytes } from "./parents.ts";

/**
 * The JSON of `nestedProductView` and `nestedOfferView`: lists have hundreds of rows, and appending texts is several
 * times faster than making objects for JSON.stringify.
 */
export interface CatalogueWriters {
  product: WriteItem<ProductTexts>;
  offer: WriteItem<OfferTexts>;
}

const quoted = JSON.stringify;
const quotedPlaceholder = quoted(placeholderUrl);

/** Writes rows whose sub-categories are among the parents. */
export function catalogueWriters(parents: Parents, store: ObjectStore): CatalogueWriters {
  const picture = (imageUrl: string | null, objectKey: string | null) => {
    if (objectKey !== null) return quoted(store.publicUrl(objectKey));
    return imageUrl ? quoted(imageUrl) : undefined;
  };

  /** Returns the picture, for offers without one of their own. */
  const writeProduct = (writer: JsonWriter, row: ProductTexts | OfferTexts, at: 0 | 15) => {
    const image = picture(row[at + 7] ?? null, row[at + 8] ?? null) ?? quotedPlaceholder;
    const parent = parents.get(String(row[at + 5]));
    if (!parent) throw new Error(`Sub-category '${row[at + 5]}' was not loaded`);
    writer.text(`{"id":"${row[at]}","name":`);
    // Separate: one letter beyond Latin-1 doubles the memory of a whole text, and the rest seldom has any.
    writer.text(quoted(row[at + 1]));
    writer.text(
      `,"slug":${quoted(row[at + 2])},"cross_number":${quoted(row[at + 3])},"bitrix_id":${quoted(row[at + 4])}` +
        `,"sub_category_id":"${row[at + 5]}","sub_category":`,
    );
    writer.bytes(parentBytes(parent));
    writer.text(
      `,"is_deleted":${row[at + 6] === "t"},"image_url":${image},"created_at":"${isoTime(row[at + 9])}"` +
        `,"updated_at":"${isoTime(row[at + 10])}","total_quantity":${row[at + 11]},"min_price_rub":${row[at + 12]}}`,
    );
    return image;
  };

  return {
    product: (writer, row) => void writeProduct(writer, row, 0),
    offer: (writer, row) => {
      const [id, productId, sku, offerBitrixId, brand, manufacturerNumber, internalDescription, price, ...rest] = row;
      const [superPrice, quantity, isDeleted, imageUrl, objectKey, createdAt, updatedAt] = rest;
      const prices = { priceRub: Number(price), superWholesalePriceRub: Number(superPrice) };
      const quotedSku = quoted(sku);
      writer.text(
        `{"id":"${id}","product_id":"${productId}","sku":${quotedSku},"address_id":${quotedSku}` +
          `,"offer_bitrix_id":${quoted(offerBitrixId)},"brand":${quoted(brand)}` +
          `,"manufacturer_number":${quoted(manufacturerNumber)},"internal_description":${quoted(internalDescription)}` +
          `,"price_rub":${price},"super_wholesale_price_rub":${superPrice}` +
          `,"wholesale_price_rub":${wholesalePriceRub(prices)},"quantity":${quantity},"is_deleted":${isDeleted === "t"}` +
          `,"created_at":"${isoTime(createdAt)}","updated_at":"${isoTime(updatedAt)}","product":`,
      );
      const productImage = writeProduct(writer, row, 15);
      writer.text(`,"image_url":${picture(imageUrl, objectKey) ?? productImage}}`);
    },
  };
}

/** The sub-category of a product, which has to be among the parents. */
export const subCategoryOfProduct = (row: ProductTexts) => row[5];

/** The sub-category of an offer's product, which has to be among the parents. */
export const subCategoryOfOffer = (row: OfferTexts) => row[20];

/** `2026-01-15 09:30:00.12` as `2026-01-15T09:30:00.120Z`. */
function isoTime(text: string | null | undefined) {
  const time = text ?? "";
  // Most have three digits or six after the point; the end of zeros is left out.
  if (time.length >= 23) return `${time.slice(0, 10)}T${time.slice(11, 23)}Z`;
  return `${time.slice(0, 10)}T${time.slice(11, 19)}.${time.slice(20).padEnd(3, "0")}Z`;
}
