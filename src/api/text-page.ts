import { jsonText } from "../platform/cache.ts";
import type { PageQuery } from "./paging.ts";

/** As `toPage`, of items that are JSON already. */
export function textPage(items: readonly string[], total: number, query: PageQuery): object {
  return jsonText(`{"items":[${items.join(",")}]${pageEnd(total, query)}`);
}

/** What follows the items of a page. */
export function pageEnd(total: number, { page, size }: PageQuery) {
  return `,"total":${total},"page":${page},"size":${size},"pages":${Math.ceil(total / size)}}`;
}

/** A bare array of items that are JSON already. */
export function textArray(items: readonly string[]): object {
  return jsonText(`[${items.join(",")}]`);
}
