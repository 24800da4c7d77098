import type { EntityManager } from "typeorm";
import { catalogueRows } from "../../db/dao/catalogue-rows.ts";
import type { CachedBody } from "../../platform/cache.ts";
import type { CacheTag } from "../../platform/cache-tags.ts";
import type { ApiContext } from "../context.ts";
import { type NestedSubCategoryView, nestedCategoryView, nestedSubCategoryView } from "./category.ts";

/** Sub-categories with their categories, by id. */
export type Parents = ReadonlyMap<string, NestedSubCategoryView>;

const tag: CacheTag = "tree";
/** A cached text is parsed once in each process. */
const parsed = new WeakMap<CachedBody, Parents>();

/** The sub-categories of these ids and more, from memory; reads them anew when one is not known yet. */
export async function parentsOf(
  context: ApiContext,
  reader: EntityManager,
  subCategoryIds: Iterable<string>,
): Promise<Parents> {
  const cached = await context.cache.read(tag, "parents", () => loadViews(context, context.db.manager));
  let parents = parsed.get(cached);
  if (!parents) {
    parents = byId(JSON.parse(cached.body) as NestedSubCategoryView[]);
    parsed.set(cached, parents);
  }
  for (const id of subCategoryIds) if (!parents.has(id)) return byId(await loadViews(context, reader));
  return parents;
}

/**
 * Sees to it that a view made inside a transaction finds them in memory. To load them takes a connection, and when all
 * connections are held by transactions that wait for this one, there is none.
 */
export async function warmParents(context: ApiContext): Promise<void> {
  await parentsOf(context, context.db.manager, []);
}

function byId(views: NestedSubCategoryView[]): Parents {
  return new Map(views.map((view) => [view.id, view]));
}

async function loadViews({ store }: ApiContext, reader: EntityManager): Promise<NestedSubCategoryView[]> {
  const rows = await catalogueRows.tree(reader);
  const categories = new Map(rows.categories.map((row) => [row.id, nestedCategoryView(row, store)]));
  return rows.subCategories.flatMap((row) => {
    const category = categories.get(row.categoryId);
    // Made between the two statements: whoever needs it reads again.
    return category ? [nestedSubCategoryView(row, category, store)] : [];
  });
}
