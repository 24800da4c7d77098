import type { EntityManager } from "typeorm";
import type { OfferFilter, ProductFilter } from "../../../db/dao/catalogue/catalogue-filters.ts";
import {
  countOffers,
  countProducts,
  listOffers,
  listProducts,
  type OfferTexts,
  type ProductTexts,
} from "../../../db/dao/catalogue/catalogue-pages.ts";
import type { CachedBody } from "../../../platform/cache.ts";
import type { CacheTag } from "../../../platform/cache-tags.ts";
import { jsonPage, type WriteItem } from "../../http/json-writer.ts";
import { type PageQuery, slice } from "../../http/paging.ts";
import type { ApiContext, Result } from "../../http/types.ts";
import { offerFields } from "../../views/offer.ts";
import { parentsOf } from "../../views/parents.ts";
import { productFields } from "../../views/product.ts";

const tag: CacheTag = "goods";

/** A page, and whether it is one of unlimited empty ones, which are not cached. */
export interface Loaded {
  body: object;
  isEmpty: boolean;
}

/** Writes these products as JSON. */
export async function productWriter(
  context: ApiContext,
  reader: EntityManager,
  rows: readonly ProductTexts[],
): Promise<WriteItem<ProductTexts>> {
  const parents = await parentsOf(context, reader, rows.map(subCategoryOfProduct));
  const means = { parents, store: context.store };
  return (writer, row) => productFields.write(writer, row, 0, means);
}

/** Writes these offers as JSON. */
export async function offerWriter(
  context: ApiContext,
  reader: EntityManager,
  rows: readonly OfferTexts[],
): Promise<WriteItem<OfferTexts>> {
  const parents = await parentsOf(context, reader, rows.map(subCategoryOfOffer));
  const means = { parents, store: context.store };
  return (writer, row) => offerFields.write(writer, row, 0, means);
}

/** The sub-category of a product. */
const subCategoryOfProduct = (row: ProductTexts) => row[5];

/** The sub-category of an offer's product. */
const subCategoryOfOffer = (row: OfferTexts) => row[20];

/** One page of products by name; one statement. */
export async function productPage(
  context: ApiContext,
  reader: EntityManager,
  filter: ProductFilter,
  query: PageQuery,
): Promise<Loaded> {
  const { rows, total } = await listProducts(reader, filter, slice(query));
  const write = await productWriter(context, reader, rows);
  return { body: jsonPage(rows, total, query, write), isEmpty: rows.length === 0 };
}

/** One page of offers by id; one statement. */
export async function offerPage(
  context: ApiContext,
  reader: EntityManager,
  filter: OfferFilter,
  query: PageQuery,
): Promise<Loaded> {
  const { rows, total } = await listOffers(reader, filter, slice(query));
  const write = await offerWriter(context, reader, rows);
  return { body: jsonPage(rows, total, query, write), isEmpty: rows.length === 0 };
}

/** The answer with the number of products. */
export function productCount(context: ApiContext, reader: EntityManager, filter: ProductFilter): Promise<CachedBody> {
  const key = `products:count:${filter.isDeleted}:${filter.subCategoryId ?? ""}`;
  return cachedCount(context, key, () => countProducts(reader, filter));
}

/** The answer with the number of offers. */
export function offerCount(context: ApiContext, reader: EntityManager, filter: OfferFilter): Promise<CachedBody> {
  const { isDeleted, productId = "", inStock = "", hasImage = "" } = filter;
  const key = `offers:count:${isDeleted}:${productId}:${inStock}:${hasImage}`;
  return cachedCount(context, key, () => countOffers(reader, filter));
}

/** A page from the cache; `isBounded` means that the number of such pages is limited. */
export async function cachedPage(
  context: ApiContext,
  key: string,
  load: () => Promise<Loaded>,
  isBounded = true,
): Promise<Result> {
  let isEmpty = false;
  const loadBody = async () => {
    const loaded = await load();
    isEmpty = loaded.isEmpty;
    return loaded.body;
  };
  return { status: 200, cached: await context.cache.read(tag, key, loadBody, () => isBounded && !isEmpty) };
}

async function cachedCount({ cache }: ApiContext, key: string, load: () => Promise<number>) {
  let count = 0;
  const loadBody = async () => {
    count = await load();
    return { count };
  };
  // The number of filters without a match is unlimited.
  return cache.read(tag, key, loadBody, () => count > 0);
}
