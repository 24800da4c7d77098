import type { EntityManager } from "typeorm";
import { type FeedCategory, type FeedOffer, feedRows } from "../../db/dao/feed-rows.ts";
import type { ObjectStore } from "../../platform/object-store.ts";
import { businessTime } from "../../services/business-day.ts";
import { shopUrl } from "../../services/shop-url.ts";
import { pictureUrl, placeholderUrl } from "../views/image.ts";
import { isBarcode } from "./barcode.ts";
import { cdata, escapeXml } from "./xml.ts";

/**
 * The catalogue as a Yandex feed (wire contract 7), in pieces that are made as they are asked for. `changedAt` stands in
 * it as its date, so that the same catalogue gives the same bytes.
 */
export async function* ymlFeed(reader: EntityManager, store: ObjectStore, changedAt: Date): AsyncGenerator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>
<yml_catalog date="${businessTime(changedAt)}">
<shop>
<name>Торговый центр Ford</name>
<company>Торговый центр Ford | TCF</company>
<url>${shopUrl}</url>
<currencies><currency id="RUB" rate="1"/></currencies>
<categories>
`;
  yield (await feedRows.categories(reader)).map(categoryLine).join("");
  yield "</categories>\n<offers>\n";
  for await (const batch of feedRows.offers(reader)) yield batch.map((offer) => offerLine(offer, store)).join("");
  yield "</offers>\n</shop>\n</yml_catalog>\n";
}

function categoryLine({ id, parentId, name }: FeedCategory) {
  const parent = parentId === null ? "" : ` parentId="${parentId}"`;
  return `<category id="${id}"${parent}>${escapeXml(name)}</category>\n`;
}

function offerLine(offer: FeedOffer, store: ObjectStore) {
  const { sku, internalDescription } = offer;
  const elements = [
    element("url", pageOf(offer)),
    element("name", offer.name),
    element("vendor", offer.brand),
    element("vendorCode", offer.manufacturerNumber),
    element("categoryId", offer.subCategoryId),
    element("picture", pictureOf(offer, store)),
    element("price", String(offer.priceRub)),
    element("currencyId", "RUB"),
    sku !== null && isBarcode(sku) ? element("barcode", sku) : "",
    `<description>${internalDescription ? cdata(internalDescription) : ""}</description>`,
  ];
  return `<offer id="${offer.id}" available="true">${elements.join("")}</offer>\n`;
}

function element(name: string, text: string) {
  return `<${name}>${escapeXml(text)}</${name}>`;
}

function pageOf({ categorySlug, subCategorySlug, productSlug }: FeedOffer) {
  const path = [categorySlug, subCategorySlug, productSlug].map(encodeURIComponent);
  return `${shopUrl}/catalog/ford/${path.join("/")}`;
}

/** The offer's own picture, else its product's, else the placeholder. */
function pictureOf(offer: FeedOffer, store: ObjectStore) {
  const picture = (objectKey: string | null, imageUrl: string | null) =>
    pictureUrl({ image: objectKey ? { objectKey, variants: [], thumbhash: null } : null, imageUrl }, store);
  const own = picture(offer.objectKey, offer.imageUrl);
  return own ?? picture(offer.productObjectKey, offer.productImageUrl) ?? placeholderUrl;
}
