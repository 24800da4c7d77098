import type { EntityManager } from "typeorm";
import { type FeedCategory, type FeedOffer, feedRows } from "../../../db/dao/documents/feed-rows.ts";
import { businessTime } from "../../business-day.ts";
import { placeholderUrl } from "../../catalogue/placeholder-url.ts";
import { shopUrl } from "../../shop-url.ts";
import { isBarcode } from "./barcode.ts";
import { cdata, escapeXml } from "./xml.ts";

/** The public address of an object. */
type PublicUrl = (key: string) => string;

/**
 * The catalogue as a Yandex feed (contract 6), in pieces that are made on demand. Its date is `changedAt`, so that
 * the same catalogue gives the same bytes.
 */
export async function* ymlFeed(reader: EntityManager, publicUrl: PublicUrl, changedAt: Date): AsyncGenerator<string> {
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
  for await (const batch of feedRows.offers(reader)) yield batch.map((offer) => offerLine(offer, publicUrl)).join("");
  yield "</offers>\n</shop>\n</yml_catalog>\n";
}

function categoryLine({ id, parentId, name }: FeedCategory) {
  const parent = parentId === null ? "" : ` parentId="${parentId}"`;
  return `<category id="${id}"${parent}>${escapeXml(name)}</category>\n`;
}

function offerLine(offer: FeedOffer, publicUrl: PublicUrl) {
  const { sku, internalDescription } = offer;
  const elements = [
    element("url", pageOf(offer)),
    element("name", offer.name),
    element("vendor", offer.brand),
    element("vendorCode", offer.manufacturerNumber),
    element("categoryId", offer.subCategoryId),
    element("picture", pictureOf(offer, publicUrl)),
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

/** The offer's own picture, else its product's, else the placeholder; of each an upload before an external address. */
function pictureOf(offer: FeedOffer, publicUrl: PublicUrl) {
  const picture = (key: string | null, elsewhere: string | null) => (key ? publicUrl(key) : elsewhere || null);
  const own = picture(offer.objectKey, offer.imageUrl);
  return own ?? picture(offer.productObjectKey, offer.productImageUrl) ?? placeholderUrl;
}
