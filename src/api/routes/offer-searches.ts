import { z } from "zod";
import { offerCount } from "../catalogue-lists.ts";
import { searchOffers } from "../catalogue-searches.ts";
import { defineRoute } from "../define-route.ts";
import { boolean, line, searchTerm, uuid } from "../fields.ts";
import { Count, pageOf, pageQuery } from "../paging.ts";
import { InvalidRequest, Problem } from "../problem.ts";
import { NestedOffer } from "../views/offer.ts";
import { productIdOf } from "../views/product.ts";

const common = { method: "get", tag: "Offers", access: "public", cache: "public" } as const;
const query = pageQuery().extend({ search_term: searchTerm });
const found = { 200: pageOf(NestedOffer), 422: InvalidRequest };

export const offerSearchRoutes = [
  defineRoute({
    ...common,
    path: "/offers/search/wildcard",
    summary: "Offers that have the term in their brand or number, or in the name or numbers of their product",
    query,
    responses: found,
    handle: (context, { query, reader }) => searchOffers(context, reader, "wildcard", query),
  }),
  ...["fts", "text_search"].map((name) =>
    defineRoute({
      ...common,
      path: `/offers/search/${name}`,
      summary:
        "Offers of which brand, number, or the name or numbers of the product are similar to the term, best first",
      query,
      responses: found,
      handle: (context, { query, reader }) => searchOffers(context, reader, "fts", query),
    }),
  ),
  defineRoute({
    ...common,
    path: "/offers/meta/count",
    summary: "How many offers there are, in all or of a kind",
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
