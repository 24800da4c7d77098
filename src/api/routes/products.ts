import { z } from "zod";
import { dropCatalogue } from "../../platform/cache-tags.ts";
import { changeProduct, createProduct, deleteProduct } from "../../services/products.ts";
import { getSubCategoryIdBySlug } from "../../services/sub-categories.ts";
import { cachedPage, productPage } from "../catalogue-lists.ts";
import { defineRoute } from "../define-route.ts";
import { boolean, line, lines, required, uuid } from "../fields.ts";
import { pageOf, pageQuery } from "../paging.ts";
import { answerWrite, cachedDetail, changeProblems, deleteProblems, writeProblems } from "../pictured.ts";
import { InvalidRequest, Problem } from "../problem.ts";
import { streamProducts } from "../stream-products.ts";
import { NestedProduct, ProductDetail, productDetail, showProduct } from "../views/product.ts";

const tag = "Products";
const image = { field: "image_blob", folder: "products" };
const params = z.object({ product_id: uuid });
const shown = { entity: "product", show: showProduct } as const;
/** Larger pages are for sitemaps and the like: they are streamed and never kept. */
const largestKept = 500;
const crossNumber = lines(20_000).meta({ description: "Numbers of the same part elsewhere; empty for none" });

export const productRoutes = [
  defineRoute({
    method: "get",
    path: "/products",
    summary: "List products by name, all or those of a sub-category",
    tag,
    access: "public",
    cache: "public",
    query: pageQuery(10_000).extend({
      sub_category_id: uuid.optional(),
      sub_category_slug: line(2_000).optional().meta({ description: "Instead of sub_category_id" }),
      is_deleted: boolean.default(false),
    }),
    responses: { 200: pageOf(NestedProduct), 404: Problem, 422: InvalidRequest },
    async handle(context, { query, reader }) {
      const { page, size, sub_category_id: id, sub_category_slug: slug, is_deleted: isDeleted } = query;
      const filter = async () => {
        const subCategoryId = id ?? (slug === undefined ? undefined : await getSubCategoryIdBySlug(reader, slug));
        return { isDeleted, subCategoryId };
      };
      if (size > largestKept) return streamProducts(context, reader, await filter(), query);
      const key = `products:${isDeleted}:${id ?? `/${slug ?? ""}`}:${page}:${size}`;
      return cachedPage(context, key, async () => productPage(context, reader, await filter(), query));
    },
  }),
  defineRoute({
    method: "get",
    path: "/products/slug/{slug}",
    summary: "One product by its slug",
    tag,
    access: "public",
    cache: "public",
    params: z.object({ slug: line(2_000) }),
    responses: { 200: ProductDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { slug }, reader }) {
      const load = () => productDetail(context, reader, "slug", slug);
      return cachedDetail(context, "goods", `products:slug:${slug}`, load);
    },
  }),
  defineRoute({
    method: "get",
    path: "/products/bitrix/{bitrix_id}",
    summary: "One product by its id in the shop before this one, whose addresses still arrive",
    tag,
    access: "public",
    cache: "public",
    params: z.object({ bitrix_id: line(200) }),
    responses: { 200: ProductDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { bitrix_id }, reader }) {
      const load = () => productDetail(context, reader, "bitrix_id", bitrix_id);
      return cachedDetail(context, "goods", `products:bitrix:${bitrix_id}`, load);
    },
  }),
  defineRoute({
    method: "get",
    path: "/products/{product_id}",
    summary: "One product by its id, a deleted one too",
    tag,
    access: "public",
    cache: "public",
    params,
    responses: { 200: ProductDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { product_id }, reader }) {
      return { status: 200, body: await showProduct(context, reader, product_id) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/products",
    summary: "Create a product; its picture is processed in the background",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    accepts: ["form"],
    body: z.object({
      name: required(line()),
      sub_category_id: required(uuid),
      cross_number: crossNumber.default(null),
    }),
    image: { ...image, required: true },
    responses: { 201: ProductDetail, ...writeProblems },
    async handle(context, { body, image, commit, wait }) {
      if (!image) throw new Error("The route declares its picture as required");
      const { name, sub_category_id: subCategoryId, cross_number: crossNumber } = body;
      const result = await commit(async (tx) => {
        const id = await createProduct(tx, { name, subCategoryId, crossNumber, image });
        return { status: 201, body: await showProduct(context, tx, id) };
      });
      return answerWrite(context, shown, result, wait);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/products/{product_id}",
    summary: "Change what is sent of a product; the rest stays",
    tag,
    access: "EMPLOYEE",
    params,
    accepts: ["form"],
    body: z.object({
      name: line().optional(),
      sub_category_id: uuid.optional(),
      cross_number: crossNumber.optional(),
    }),
    image: { ...image, required: false },
    responses: { 200: ProductDetail, ...changeProblems },
    async handle(context, { params: { product_id: id }, body, image, commit, wait }) {
      const { name, sub_category_id: subCategoryId, cross_number: crossNumber } = body;
      const result = await commit(async (tx) => {
        await changeProduct(tx, id, { name, subCategoryId, crossNumber, image });
        return { status: 200, body: await showProduct(context, tx, id) };
      });
      return answerWrite(context, shown, result, image && wait);
    },
  }),
  defineRoute({
    method: "delete",
    path: "/products/{product_id}",
    summary: "Hide a product and its offers for good; old orders still lead to it",
    tag,
    access: "ADMIN",
    params,
    responses: { 204: z.null(), ...deleteProblems },
    async handle(context, { params: { product_id }, commit }) {
      const result = await commit(async (tx) => {
        await deleteProduct(tx, product_id);
        return { status: 204 };
      });
      void dropCatalogue(context.cache, "product");
      return result;
    },
  }),
];
