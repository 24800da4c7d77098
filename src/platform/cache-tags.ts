import type { Cache } from "./cache.ts";

/**
 * Which cached answers a change of the catalogue makes stale: `tree` are categories and sub-categories, `goods` the
 * rest.
 */
const staleAfter = {
  category: ["tree", "goods"],
  "sub-category": ["tree", "goods"],
  product: ["goods"],
  offer: ["goods"],
} as const;

export type CatalogueEntity = keyof typeof staleAfter;
export type CacheTag = (typeof staleAfter)[CatalogueEntity][number];

/** Invalidates what a change of this entity makes stale; call it after the commit. An answer need not wait for it. */
export async function dropCatalogue(cache: Cache, entity: CatalogueEntity): Promise<void> {
  await Promise.all(staleAfter[entity].map((tag) => cache.invalidate(tag)));
}
