import type { EntityManager } from "typeorm";
import type { OfferFilter, ProductFilter } from "../db/dao/catalogue-filters.ts";
import {
  countOffers,
  countProducts,
  listOffers,
  listProducts,
  type OfferTexts,
  type ProductTexts,
  type Slice,
} from "../db/dao/catalogue-pages.ts";
import type { CachedBody } from "../platform/cache.ts";
import type { CacheTag } from "../platform/cache-tags.ts";
import type { ApiContext } from "./context.ts";
import type { Result } from "./define-route.ts";
import { type PageQuery, slice } from "./paging.ts";
import { textPage } from "./text-page.ts";
import { catalogueTexts, subCategoryOfOffer, subCategoryOfProduct } from "./views/catalogue-text.ts";
import { parentsOf } from "./views/parents.ts";

const tag: CacheTag = "goods";

/** A page and whether it is one of many without anything in them, which are not kept. */
interface Loaded {
  body: object;
  isEmpty: boolean;
}

/** JSON of products, in the order of their rows. */
export async function productTexts(context: ApiContext, reader: EntityManager, rows: readonly ProductTexts[]) {
  const parents = await parentsOf(context, reader, rows.map(subCategoryOfProduct));
  return rows.map(catalogueTexts(parents, context.store).product);
}

/** JSON of offers, in the order of their rows. */
export async function offerTexts(context: ApiContext, reader: EntityManager, rows: readonly OfferTexts[]) {
  const parents = await parentsOf(context, reader, rows.map(subCategoryOfOffer));
  return rows.map(catalogueTexts(parents, context.store).offer);
}

/** One page of products by name: one statement, and one more where only a count tells how many there are. */
export function productPage(context: ApiContext, reader: EntityManager, filter: ProductFilter, query: PageQuery) {
  return page(query, {
    list: (part) => listProducts(reader, filter, part),
    texts: (rows) => productTexts(context, reader, rows),
    count: async () => countOf(await productCount(context, reader, filter)),
  });
}

/** One page of offers by id; statements as above. */
export function offerPage(context: ApiContext, reader: EntityManager, filter: OfferFilter, query: PageQuery) {
  return page(query, {
    list: (part) => listOffers(reader, filter, part),
    texts: (rows) => offerTexts(context, reader, rows),
    count: async () => countOf(await offerCount(context, reader, filter)),
  });
}

/** How many products there are, as an answer. */
export function productCount(context: ApiContext, reader: EntityManager, filter: ProductFilter): Promise<CachedBody> {
  const key = `products:count:${filter.isDeleted}:${filter.subCategoryId ?? ""}`;
  return cachedCount(context, key, () => countProducts(reader, filter));
}

/** How many offers there are, as an answer. */
export function offerCount(context: ApiContext, reader: EntityManager, filter: OfferFilter): Promise<CachedBody> {
  const { isDeleted, productId = "", inStock = "", hasImage = "" } = filter;
  const key = `offers:count:${isDeleted}:${productId}:${inStock}:${hasImage}`;
  return cachedCount(context, key, () => countOffers(reader, filter));
}

/** The number in an answer of the two above. */
export function countOf({ body }: CachedBody): number {
  return (JSON.parse(body) as { count: number }).count;
}

/** A page from the cache; `isBounded` says that there cannot be endlessly many of its kind. */
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

interface Source<Row> {
  list(part: Slice): Promise<Row[]>;
  texts(rows: Row[]): Promise<string[]>;
  count(): Promise<number>;
}

async function page<Row>(query: PageQuery, { list, texts, count }: Source<Row>): Promise<Loaded> {
  const { limit, offset } = slice(query);
  const rows = await list({ limit, offset });
  const isLast = rows.length < limit && (rows.length > 0 || offset === 0);
  const total = isLast ? offset + rows.length : await count();
  return { body: textPage(await texts(rows), total, query), isEmpty: rows.length === 0 };
}

async function cachedCount({ cache }: ApiContext, key: string, load: () => Promise<number>) {
  let count = 0;
  const loadBody = async () => {
    count = await load();
    return { count };
  };
  // Of what is not there, there are endlessly many kinds.
  return cache.read(tag, key, loadBody, () => count > 0);
}
