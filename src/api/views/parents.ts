import type { EntityManager } from "typeorm";
import { catalogueRows } from "../../db/dao/catalogue/catalogue-rows.ts";
import type { CachedBody } from "../../platform/cache.ts";
import type { CacheTag } from "../../platform/cache-tags.ts";
import type { ApiContext } from "../http/types.ts";
import { type NestedSubCategoryView, nestedCategoryView, nestedSubCategoryView } from "./category.ts";

/** Sub-categories with their categories, by id. */
export type Parents = ReadonlyMap<string, NestedSubCategoryView>;

const tag: CacheTag = "tree";
/** A cached text is parsed once in each process. */
const parsed = new WeakMap<CachedBody, Parents>();

/**
 * All sub-categories by name, from memory; read again when one of these ids is unknown. In a transaction only `reader`
 * is used: its connection must not wait for another one.
 */
export async function parentsOf(
  context: ApiContext,
  reader: EntityManager,
  subCategoryIds: Iterable<string>,
): Promise<Parents> {
  const cached = reader.queryRunner?.isTransactionActive
    ? context.cache.peek(tag, "parents")
    : await context.cache.read(tag, "parents", () => loadViews(context, context.db.manager));
  if (!cached) return byId(await loadViews(context, reader));
  let parents = parsed.get(cached);
  if (!parents) {
    parents = byId(JSON.parse(cached.bytes.toString()) as NestedSubCategoryView[]);
    parsed.set(cached, parents);
  }
  for (const id of subCategoryIds) if (!parents.has(id)) return byId(await loadViews(context, reader));
  return parents;
}

const texts = new WeakMap<NestedSubCategoryView, Buffer>();

/** A sub-category as JSON; made once while it is in memory. */
export function parentBytes(view: NestedSubCategoryView): Buffer {
  const known = texts.get(view);
  if (known !== undefined) return known;
  const bytes = Buffer.from(JSON.stringify(view));
  texts.set(view, bytes);
  return bytes;
}

function byId(views: NestedSubCategoryView[]): Parents {
  return new Map(views.map((view) => [view.id, view]));
}

async function loadViews({ store }: ApiContext, reader: EntityManager): Promise<NestedSubCategoryView[]> {
  const rows = await catalogueRows.tree(reader);
  const categories = new Map(rows.categories.map((row) => [row.id, nestedCategoryView(row, store)]));
  return rows.subCategories.flatMap((row) => {
    const category = categories.get(row.categoryId);
    // Created between the two statements: a caller that needs it reads again.
    return category ? [nestedSubCategoryView(row, category, store)] : [];
  });
}
