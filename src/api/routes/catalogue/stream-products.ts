import type { EntityManager } from "typeorm";
import type { ProductFilter } from "../../../db/dao/catalogue/catalogue-filters.ts";
import { listProducts, listProductsAfter } from "../../../db/dao/catalogue/catalogue-pages.ts";
import { jsonItems, pageEnd, pageStart } from "../../http/json-writer.ts";
import { type PageQuery, slice } from "../../http/paging.ts";
import type { ApiContext, Result } from "../../http/types.ts";
import { productWriter } from "./lists.ts";

/** Rows at once: a few hundred kilobytes. */
const portion = 250;

/**
 * A page of any size in pieces, each read when the one before it has been sent: it needs as little memory as a small
 * page, and holds no connection for a slow reader. A product that is renamed meanwhile may appear twice or not at all.
 */
export async function streamProducts(
  context: ApiContext,
  reader: EntityManager,
  filter: ProductFilter,
  query: PageQuery,
): Promise<Result> {
  const { limit, offset } = slice(query);
  const { rows: first, total } = await listProducts(reader, filter, { limit: Math.min(portion, limit), offset });

  async function* pieces() {
    let rows = first;
    let left = limit - rows.length;
    yield pageStart;
    yield jsonItems(rows, await productWriter(context, reader, rows));
    for (let last = rows.at(-1); last && left > 0; last = rows.at(-1)) {
      rows = await listProductsAfter(reader, filter, last, Math.min(portion, left));
      left -= rows.length;
      if (rows.length > 0) yield ",";
      yield jsonItems(rows, await productWriter(context, reader, rows));
    }
    yield pageEnd(total, query);
  }
  return { status: 200, stream: pieces(), headers: { "content-type": "application/json" } };
}
