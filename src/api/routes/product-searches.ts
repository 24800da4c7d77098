import { z } from "zod";
import { categoryFacets, subCategoryFacets } from "../../db/dao/catalogue-facets.ts";
import { productCount } from "../catalogue-lists.ts";
import { searchProducts } from "../catalogue-searches.ts";
import { defineRoute } from "../define-route.ts";
import { boolean, searchTerm, uuid } from "../fields.ts";
import { Count, pageOf, pageQuery } from "../paging.ts";
import { InvalidRequest } from "../problem.ts";
import { NestedProduct } from "../views/product.ts";

const common = { method: "get", tag: "Products", access: "public", cache: "public" } as const;
const query = pageQuery().extend({ search_term: searchTerm });
const found = { 200: pageOf(NestedProduct), 422: InvalidRequest };
const Facets = z
  .record(z.string(), z.int())
  .meta({ description: "Numbers of products by name; none where it is zero" });

export const productSearchRoutes = [
  defineRoute({
    ...common,
    path: "/products/search/wildcard",
    summary: "Products that have the term in their name or numbers; neither dots nor case count",
    query,
    responses: found,
    handle: (context, { query, reader }) => searchProducts(context, reader, "wildcard", query),
  }),
  defineRoute({
    ...common,
    path: "/products/search/fts",
    summary: "Products whose name is similar to the term, best first",
    query,
    responses: found,
    handle: (context, { query, reader }) => searchProducts(context, reader, "fts", query),
  }),
  defineRoute({
    ...common,
    path: "/products/meta/count",
    summary: "How many products there are, in all or in a sub-category",
    query: z.object({ sub_category_id: uuid.optional(), is_deleted: boolean.default(false) }),
    responses: { 200: Count, 422: InvalidRequest },
    async handle(context, { query: { sub_category_id: subCategoryId, is_deleted: isDeleted }, reader }) {
      return { status: 200, cached: await productCount(context, reader, { isDeleted, subCategoryId }) };
    },
  }),
  defineRoute({
    ...common,
    path: "/products/meta/facets/categories",
    summary: "How many products there are in each category",
    responses: { 200: Facets },
    async handle(context, { reader }) {
      return { status: 200, cached: await context.cache.read("goods", "facets", () => categoryFacets(reader)) };
    },
  }),
  defineRoute({
    ...common,
    path: "/products/meta/facets/sub-categories",
    summary: "How many products there are in each sub-category of a category",
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
