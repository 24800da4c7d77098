import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { dropCatalogue } from "../../../../src/platform/cache-tags.ts";
import { useApi } from "../../../support/api.ts";
import { addCategory, addOffer, addProduct, addSubCategory } from "../../../support/catalogue.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { send } from "../../../support/send.ts";

interface List {
  items: unknown[];
}

/** A list with so many rows: the requests for it, each with room for just these. */
type Filled = (rows: number) => Promise<() => Promise<unknown[]>>;

describe("a list of the catalogue costs as many statements for twenty rows as for one:", () => {
  // The relay would ask the database too.
  const api = useApi({ relay: false });
  const word = () => `Word${randomUUID().replaceAll("-", "")}`;

  const get = async (path: string) => {
    const { status, body } = await send<List | unknown[]>(api, "GET", path, { token: "" });
    expect(status, path).toBe(200);
    return Array.isArray(body) ? body : body.items;
  };

  async function offersOf(rows: number) {
    const brand = word();
    const first = await addOffer(api.db, { brand });
    const ids = [first.id];
    while (ids.length < rows) ids.push((await addOffer(api.db, { brand, productId: first.productId })).id);
    return { ...first, ids, brand };
  }

  async function productsOf(rows: number) {
    const name = word();
    const { subCategoryId } = await addProduct(api.db, { name });
    for (let n = 1; n < rows; n++) await addProduct(api.db, { name, subCategoryId });
    return { subCategoryId, name };
  }

  async function subCategoriesOf(rows: number) {
    const { id: categoryId } = await addCategory(api.db);
    for (let n = 0; n < rows; n++) await addSubCategory(api.db, { categoryId });
    return categoryId;
  }

  /** With nothing in the cache: two of each read the tree of categories. */
  const lists: Record<string, Filled> = {
    "3 for offers of a product": async (rows) => {
      const { productId } = await offersOf(rows);
      return () => get(`/offers?product_id=${productId}&size=${rows}`);
    },
    "3 for offers by ids": async (rows) => {
      const { ids } = await offersOf(rows);
      const options = { body: ids, token: "" };
      return async () => (await send<List>(api, "POST", `/offers/by-ids?size=${rows}`, options)).body.items;
    },
    "3 for offers that contain a term": async (rows) => {
      const { brand } = await offersOf(rows);
      return () => get(`/offers/search/wildcard?search_term=${brand}&size=${rows}`);
    },
    "4 for offers that are like a term": async (rows) => {
      const { brand } = await offersOf(rows);
      return () => get(`/offers/search/fts?search_term=${brand}&size=${rows}`);
    },
    "3 for products of a sub-category": async (rows) => {
      const { subCategoryId } = await productsOf(rows);
      return () => get(`/products?sub_category_id=${subCategoryId}&size=${rows}`);
    },
    "3 for products that contain a term": async (rows) => {
      const { name } = await productsOf(rows);
      return () => get(`/products/search/wildcard?search_term=${name}&size=${rows}`);
    },
    "4 for products that are like a term": async (rows) => {
      const { name } = await productsOf(rows);
      return () => get(`/products/search/fts?search_term=${name}&size=${rows}`);
    },
    "2 for sub-categories of a category": async (rows) => {
      const categoryId = await subCategoriesOf(rows);
      return () => get(`/sub-categories?category_id=${categoryId}&size=${rows}`);
    },
    "2 for sub-categories of a category for the warehouse": async (rows) => {
      const categoryId = await subCategoriesOf(rows);
      return () => get(`/warehouse/sub-categories?category_id=${categoryId}`);
    },
  };

  test.each(Object.entries(lists))("%s", async (name, filled) => {
    const cost = async (rows: number) => {
      const ask = await filled(rows);
      // What is learnt once, such as how frequent trigrams are, does not count.
      await ask();
      await dropCatalogue(api.context.cache, "category");
      return countStatements(api.db, async () => expect(await ask()).toHaveLength(rows));
    };
    const expected = Number.parseInt(name, 10);
    expect([await cost(1), await cost(20)]).toEqual([expected, expected]);
  });
});
