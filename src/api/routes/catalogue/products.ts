import { z } from "zod";
import { dropCatalogue } from "../../../platform/cache-tags.ts";
import { changeProduct, createProduct, deleteProduct, restoreProduct } from "../../../services/catalogue/products.ts";
import { getSubCategoryIdBySlug } from "../../../services/catalogue/sub-categories.ts";
import { defineRoute } from "../../http/define-route.ts";
import { boolean, line, lines, required, uuid } from "../../http/fields.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import { NestedProduct, ProductDetail, productDetail, showProduct } from "../../views/product.ts";
import { cachedPage, productPage } from "./lists.ts";
import { streamProducts } from "./stream-products.ts";
import { answerWrite, cachedDetail, changeProblems, deleteProblems, writeProblems } from "./with-image.ts";

const tag = "Products";
const image = { field: "image_blob", folder: "products" };
const params = z.object({ product_id: uuid });
const shown = { entity: "product", show: showProduct } as const;
/** Larger pages are for sitemaps and the like: they are streamed and never cached. */
const maxCachedBytes = 500;
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
      if (size > maxCachedBytes) return streamProducts(context, reader, await filter(), query);
      const key = `products:${isDeleted}:${id ?? `/${slug ?? ""}`}:${page}:${size}`;
      return cachedPage(context, key, async () => productPage(context, reader, await filter(), query));
    },
  }),
  defineRoute({
    method: "get",
    path: "/products/slug/{slug}",
    summary: "Get a product by slug",
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
    summary: "Get a product by its Bitrix id",
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
    summary: "Get a product by id, also a deleted one",
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
    summary: "Create a product",
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
    summary: "Update a product",
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
    summary: "Delete a product and its offers; old orders keep them",
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
  defineRoute({
    method: "post",
    path: "/products/{product_id}/restore",
    summary: "Restore a deleted product",
    description:
      "Its offers stay deleted; restore each that is sold again. May be repeated. `GET /products?is_deleted=true` lists deleted ones.",
    tag,
    access: "EMPLOYEE",
    params,
    responses: { 200: ProductDetail, ...deleteProblems },
    async handle(context, { params: { product_id: id }, commit }) {
      const result = await commit(async (tx) => {
        await restoreProduct(tx, id);
        return { status: 200, body: await showProduct(context, tx, id) };
      });
      void dropCatalogue(context.cache, "product");
      return result;
    },
  }),
];
