import { z } from "zod";
import { categoryFacets, subCategoryFacets } from "../../../db/dao/catalogue/catalogue-search.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, searchTerm, uuid } from "../../http/fields.ts";
import { Count, pageOf, pageQuery } from "../../http/paging.ts";
import { InvalidRequest } from "../../http/problem.ts";
import { NestedProduct } from "../../views/product.ts";
import { productCount } from "./lists.ts";
import { searchProducts } from "./searches.ts";

const common = { method: "get", tag: "Products", access: "public", cache: "public" } as const;
const query = pageQuery().extend({ search_term: searchTerm });
const found = { 200: pageOf(NestedProduct), 422: InvalidRequest };
const Facets = z.record(z.string(), z.int()).meta({ description: "Counts by name; zeros are left out" });

export const productSearchRoutes = [
  defineRoute({
    ...common,
    path: "/products/search/wildcard",
    summary: "Search products by a part of name or numbers; dots and case do not count",
    query,
    responses: found,
    handle: (context, { query, reader }) => searchProducts(context, reader, "wildcard", query),
  }),
  defineRoute({
    ...common,
    path: "/products/search/fts",
    summary: "Search products by similarity of name, best first",
    query,
    responses: found,
    handle: (context, { query, reader }) => searchProducts(context, reader, "fts", query),
  }),
  defineRoute({
    ...common,
    path: "/products/meta/count",
    summary: "Count products",
    query: z.object({ sub_category_id: uuid.optional(), is_deleted: boolean.default(false) }),
    responses: { 200: Count, 422: InvalidRequest },
    async handle(context, { query: { sub_category_id: subCategoryId, is_deleted: isDeleted }, reader }) {
      return { status: 200, cached: await productCount(context, reader, { isDeleted, subCategoryId }) };
    },
  }),
  defineRoute({
    ...common,
    path: "/products/meta/facets/categories",
    summary: "Count products by category",
    responses: { 200: Facets },
    async handle(context, { reader }) {
      return { status: 200, cached: await context.cache.read("goods", "facets", () => categoryFacets(reader)) };
    },
  }),
  defineRoute({
    ...common,
    path: "/products/meta/facets/sub-categories",
    summary: "Count products by sub-category",
    query: z.object({ category_id: uuid }),
    responses: { 200: Facets, 422: InvalidRequest },
    async handle({ cache }, { query: { category_id }, reader }) {
      let isEmpty = false;
      const load = async () => {
        const facets = await subCategoryFacets(reader, category_id);
        isEmpty = Object.keys(facets).length === 0;
        return facets;
      };
      return { status: 200, cached: await cache.read("goods", `facets:${category_id}`, load, () => !isEmpty) };
    },
  }),
];
