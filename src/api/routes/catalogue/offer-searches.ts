import { z } from "zod";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, line, searchTerm, uuid } from "../../http/fields.ts";
import { Count, pageOf, pageQuery } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { NestedOffer } from "../../views/offer.ts";
import { productIdOf } from "../../views/product.ts";
import { offerCount } from "./lists.ts";
import { searchOffers } from "./searches.ts";

const common = { method: "get", tag: "Offers", access: "public", cache: "public" } as const;
const query = pageQuery().extend({ search_term: searchTerm });
const found = { 200: pageOf(NestedOffer), 422: InvalidRequest };

export const offerSearchRoutes = [
  defineRoute({
    ...common,
    path: "/offers/search/wildcard",
    summary: "Search offers by a part of brand or number, or of their product's name or numbers",
    query,
    responses: found,
    handle: (context, { query, reader }) => searchOffers(context, reader, "wildcard", query),
  }),
  ...["fts", "text_search"].map((name) =>
    defineRoute({
      ...common,
      path: `/offers/search/${name}`,
      summary: "Search offers by similarity of brand, number, or their product's name or numbers, best first",
      query,
      responses: found,
      handle: (context, { query, reader }) => searchOffers(context, reader, "fts", query),
    }),
  ),
  defineRoute({
    ...common,
    path: "/offers/meta/count",
    summary: "Count offers",
    query: z.object({
      product_id: uuid.optional(),
      product_slug: line(2_000).optional().meta({ description: "Instead of product_id" }),
      in_stock: boolean.optional().meta({ description: "True: only those in stock; false: all" }),
      is_image: boolean.optional().meta({ description: "With a picture of its own or of its product, or without" }),
    }),
    responses: { 200: Count, 404: Problem, 422: InvalidRequest },
    async handle(context, { query: { product_id, product_slug, in_stock, is_image }, reader }) {
      const productId =
        product_id ?? (product_slug === undefined ? undefined : await productIdOf(reader, product_slug));
      const filter = { isDeleted: false, productId, inStock: in_stock === true, hasImage: is_image };
      return { status: 200, cached: await offerCount(context, reader, filter) };
    },
  }),
];
