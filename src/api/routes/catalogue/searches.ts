import type { EntityManager } from "typeorm";
import { findOffers, findProducts } from "../../../db/dao/catalogue/catalogue-pages.ts";
import {
  offersContaining,
  offersLike,
  productsContaining,
  productsLike,
  type Search,
} from "../../../db/dao/catalogue/catalogue-search.ts";
import { jsonPage } from "../../http/json-writer.ts";
import { type PageQuery, slice } from "../../http/paging.ts";
import type { ApiContext, Result } from "../../http/types.ts";
import { cachedPage, type Loaded, offerWriter, productWriter } from "./lists.ts";

/** `wildcard`: contains the term; `fts`: is similar to it. */
export type SearchKind = "wildcard" | "fts";
export type SearchQuery = PageQuery & { search_term: string };

/** Longer terms are rarely searched twice, and there are too many of them to cache. */
const maxCachedLength = 40;

/** A page of products; one statement, and one more to split the term of `fts`. */
export function searchProducts(context: ApiContext, reader: EntityManager, kind: SearchKind, query: SearchQuery) {
  return searched(context, `products:${kind}`, kind, query, async (term) => {
    const search = kind === "fts" ? await productsLike(reader, term) : productsContaining(term);
    const { rows, total } = search ? await findProducts(reader, search, slice(query)) : nothing;
    return {
      body: jsonPage(rows, total, query, await productWriter(context, reader, rows)),
      isEmpty: rows.length === 0,
    };
  });
}

/** A page of offers; statements as above. */
export function searchOffers(context: ApiContext, reader: EntityManager, kind: SearchKind, query: SearchQuery) {
  return searched(context, `offers:${kind}`, kind, query, async (term) => {
    const search = kind === "fts" ? await offersLike(reader, term) : offersContaining(term);
    return foundOffers(context, reader, search, query);
  });
}

/** One page of the offers that a search finds. */
export async function foundOffers(
  context: ApiContext,
  reader: EntityManager,
  search: Search | undefined,
  query: PageQuery,
): Promise<Loaded> {
  const { rows, total } = search ? await findOffers(reader, search, slice(query)) : nothing;
  const body = jsonPage(rows, total, query, await offerWriter(context, reader, rows));
  return { body, isEmpty: rows.length === 0 };
}

const nothing = { rows: [], total: 0 };

function searched(
  context: ApiContext,
  name: string,
  kind: SearchKind,
  query: SearchQuery,
  find: (term: string) => Promise<Loaded>,
): Promise<Result> {
  const term = normalised(kind, query.search_term);
  const key = `${name}:${query.page}:${query.size}:${term}`;
  return cachedPage(context, key, () => find(term), term.length <= maxCachedLength);
}

/** Normalizes terms with the same result; blanks inside count only where they are searched. */
function normalised(kind: SearchKind, term: string) {
  const lower = term.toLowerCase();
  return kind === "fts" ? lower.replace(/\s+/g, " ") : lower;
}
