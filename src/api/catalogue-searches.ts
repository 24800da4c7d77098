import type { EntityManager } from "typeorm";
import { findOffers, findProducts } from "../db/dao/catalogue-pages.ts";
import {
  offersContaining,
  offersLike,
  productsContaining,
  productsLike,
  type Search,
} from "../db/dao/catalogue-search.ts";
import { cachedPage, offerTexts, productTexts } from "./catalogue-lists.ts";
import type { ApiContext } from "./context.ts";
import type { Result } from "./define-route.ts";
import { type PageQuery, slice } from "./paging.ts";
import { textPage } from "./text-page.ts";

/** `wildcard`: contains the term; `fts`: is similar to it. */
export type SearchKind = "wildcard" | "fts";
export type SearchQuery = PageQuery & { search_term: string };

/** Longer terms are hardly asked twice, and there are too many of them to keep. */
const longestKept = 40;

/** A page of products; one statement, and one more to take apart the term of `fts`. */
export async function searchProducts(context: ApiContext, reader: EntityManager, kind: SearchKind, query: SearchQuery) {
  return searched(context, `products:${kind}`, kind, query, async (term) => {
    const search = kind === "fts" ? await productsLike(reader, term) : productsContaining(term);
    return search && foundProducts(context, reader, search, query);
  });
}

/** A page of offers; statements as above. */
export function searchOffers(context: ApiContext, reader: EntityManager, kind: SearchKind, query: SearchQuery) {
  return searched(context, `offers:${kind}`, kind, query, async (term) => {
    const search = kind === "fts" ? await offersLike(reader, term) : offersContaining(term);
    return search && foundOffers(context, reader, search, query);
  });
}

interface Found {
  texts: string[];
  total: number;
}

async function foundProducts(context: ApiContext, reader: EntityManager, search: Search, query: PageQuery) {
  const { rows, total } = await findProducts(reader, search, slice(query));
  return { texts: await productTexts(context, reader, rows), total };
}

/** The offers that a search finds, as JSON, and how many there are in all. */
export async function foundOffers(context: ApiContext, reader: EntityManager, search: Search, query: PageQuery) {
  const { rows, total } = await findOffers(reader, search, slice(query));
  return { texts: await offerTexts(context, reader, rows), total };
}

function searched(
  context: ApiContext,
  name: string,
  kind: SearchKind,
  query: SearchQuery,
  find: (term: string) => Promise<Found | undefined>,
): Promise<Result> {
  const term = normalised(kind, query.search_term);
  const load = async () => {
    const { texts, total } = (await find(term)) ?? { texts: [], total: 0 };
    return { body: textPage(texts, total, query), isEmpty: texts.length === 0 };
  };
  return cachedPage(context, `${name}:${query.page}:${query.size}:${term}`, load, term.length <= longestKept);
}

/** Terms that find the same are the same; blanks count only where they are looked for. */
function normalised(kind: SearchKind, term: string) {
  const lower = term.toLowerCase();
  return kind === "fts" ? lower.trim().replace(/\s+/g, " ") : lower;
}
