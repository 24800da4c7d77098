import type { OfferTexts, ProductTexts } from "../../db/dao/catalogue-pages.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { wholesalePriceRub } from "../../services/prices.ts";
import { placeholderUrl } from "./image.ts";
import { type Parents, parentText } from "./parents.ts";

/**
 * What `nestedProductView` and `nestedOfferView` would show, as JSON: lists have hundreds of rows, and putting texts
 * together is several times faster than making objects for JSON.stringify.
 */
export interface CatalogueTexts {
  product(row: ProductTexts): string;
  offer(row: OfferTexts): string;
}

const quoted = JSON.stringify;
const quotedPlaceholder = quoted(placeholderUrl);

/** Makes JSON of rows whose sub-categories are among the parents. */
export function catalogueTexts(parents: Parents, store: ObjectStore): CatalogueTexts {
  const picture = (imageUrl: string | null, objectKey: string | null) => {
    if (objectKey !== null) return quoted(store.publicUrl(objectKey));
    return imageUrl ? quoted(imageUrl) : undefined;
  };
  const parent = (id: string) => {
    const view = parents.get(id);
    if (!view) throw new Error(`Sub-category '${id}' was not loaded`);
    return parentText(view);
  };

  /** The product and, for offers without one of their own, its picture. */
  const product = (row: ProductTexts) => {
    const [id, name, slug, crossNumber, bitrixId, subCategoryId, ...rest] = row;
    const [isDeleted, imageUrl, objectKey, createdAt, updatedAt, totalQuantity, minPriceRub] = rest;
    const image = picture(imageUrl, objectKey) ?? quotedPlaceholder;
    const text =
      `{"id":"${id}","name":${quoted(name)},"slug":${quoted(slug)},"cross_number":${quoted(crossNumber)}` +
      `,"bitrix_id":${quoted(bitrixId)},"sub_category_id":"${subCategoryId}","sub_category":${parent(subCategoryId)}` +
      `,"is_deleted":${isDeleted === "t"},"image_url":${image},"total_quantity":${totalQuantity}` +
      `,"min_price_rub":${minPriceRub},"created_at":"${isoTime(createdAt)}","updated_at":"${isoTime(updatedAt)}"}`;
    return { text, image };
  };

  return {
    product: (row) => product(row).text,
    offer: (row) => {
      const [id, productId, sku, offerBitrixId, brand, manufacturerNumber, internalDescription, ...rest] = row;
      const [priceRub, superWholesalePriceRub, quantity, isDeleted, ...last] = rest;
      const [imageUrl, objectKey, createdAt, updatedAt, ...productRow] = last;
      const { text, image } = product(productRow);
      const prices = { priceRub: Number(priceRub), superWholesalePriceRub: Number(superWholesalePriceRub) };
      const quotedSku = quoted(sku);
      return (
        `{"id":"${id}","product_id":"${productId}","product":${text},"sku":${quotedSku},"address_id":${quotedSku}` +
        `,"offer_bitrix_id":${quoted(offerBitrixId)},"brand":${quoted(brand)}` +
        `,"manufacturer_number":${quoted(manufacturerNumber)},"internal_description":${quoted(internalDescription)}` +
        `,"price_rub":${priceRub},"super_wholesale_price_rub":${superWholesalePriceRub}` +
        `,"wholesale_price_rub":${wholesalePriceRub(prices)},"quantity":${quantity},"is_deleted":${isDeleted === "t"}` +
        `,"image_url":${picture(imageUrl, objectKey) ?? image}` +
        `,"created_at":"${isoTime(createdAt)}","updated_at":"${isoTime(updatedAt)}"}`
      );
    },
  };
}

/** The sub-category of a product, which has to be among the parents. */
export const subCategoryOfProduct = (row: ProductTexts) => row[5];

/** The sub-category of an offer's product, which has to be among the parents. */
export const subCategoryOfOffer = (row: OfferTexts) => row[20];

/** `2026-01-15 09:30:00.12` as `2026-01-15T09:30:00.120Z`. */
function isoTime(text: string) {
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, 23).padEnd(3, "0")}Z`;
}
