import { z } from "zod";
import { sales } from "../../../db/dao/orders/sales.ts";
import type { CacheTag } from "../../../platform/cache-tags.ts";
import { placeholderUrl } from "../../../services/catalogue/placeholder-url.ts";
import { defineRoute } from "../../http/define-route.ts";
import { pictureUrl } from "../../views/image.ts";

const tag = "Analytics";
const cacheTag: CacheTag = "goods";

const BestSelling = z
  .object({ name: z.string(), image_url: z.url(), sold: z.int(), revenue: z.int() })
  .meta({ id: "BestSelling" });

const Facets = z
  .object({
    categories: z.array(z.object({ category_slug: z.string(), product_count: z.int() })),
    sub_categories: z.array(z.object({ sub_category_slug: z.string(), product_count: z.int() })),
  })
  .meta({ id: "ProductFacets" });

export const analyticsRoutes = [
  defineRoute({
    method: "get",
    path: "/analytics/products/best-selling",
    summary: "Rank products by pieces sold",
    description: "Counts the lines of committed waybills out; returns are not taken off, and gifts are left out.",
    tag,
    access: "EMPLOYEE",
    responses: { 200: z.array(BestSelling) },
    async handle(context, { reader }) {
      const load = async () => {
        const rows = await sales.bestSelling(reader);
        return rows.map(({ name, sold, revenue, ...picture }) => ({
          name,
          image_url: pictureUrl(picture, context.store) ?? placeholderUrl,
          sold,
          revenue,
        }));
      };
      return { status: 200, cached: await context.cache.read(cacheTag, "analytics:best-selling", load) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/analytics/products/facets",
    summary: "Count products by category and sub-category",
    tag,
    access: "EMPLOYEE",
    responses: { 200: Facets },
    async handle(context, { reader }) {
      const load = async () => ({
        categories: (await sales.facets(reader, "categories")).map((row) => ({
          category_slug: row.slug,
          product_count: row.products,
        })),
        sub_categories: (await sales.facets(reader, "subCategories")).map((row) => ({
          sub_category_slug: row.slug,
          product_count: row.products,
        })),
      });
      return { status: 200, cached: await context.cache.read(cacheTag, "analytics:facets", load) };
    },
  }),
];
