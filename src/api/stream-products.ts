import type { EntityManager } from "typeorm";
import type { ProductFilter } from "../db/dao/catalogue-filters.ts";
import { listProducts } from "../db/dao/catalogue-pages.ts";
import { countOf, productCount, productTexts } from "./catalogue-lists.ts";
import type { ApiContext } from "./context.ts";
import type { Result } from "./define-route.ts";
import { type PageQuery, slice } from "./paging.ts";
import { pageEnd } from "./text-page.ts";

/** Rows at once: a few hundred kilobytes. */
const portion = 250;

/**
 * A page of any size in pieces, each read when the one before it has been sent: it needs as little memory as a small
 * one, and holds no connection for a slow reader. A product that is renamed meanwhile may come twice or not at all.
 */
export async function streamProducts(
  context: ApiContext,
  reader: EntityManager,
  filter: ProductFilter,
  query: PageQuery,
): Promise<Result> {
  const { limit, offset } = slice(query);
  const total = countOf(await productCount(context, reader, filter));
  const first = await listProducts(reader, filter, { limit: Math.min(portion, limit), offset });

  async function* pieces() {
    let rows = first;
    let left = limit;
    yield '{"items":[';
    for (;;) {
      yield (await productTexts(context, reader, rows)).join(",");
      left -= rows.length;
      const last = rows.at(-1);
      if (!last || left <= 0 || rows.length < portion) break;
      rows = await listProducts(reader, filter, { limit: Math.min(portion, left), offset: 0 }, last);
      if (rows.length > 0) yield ",";
    }
    yield `]${pageEnd(total, query)}`;
  }
  return { status: 200, stream: pieces(), headers: { "content-type": "application/json" } };
}
