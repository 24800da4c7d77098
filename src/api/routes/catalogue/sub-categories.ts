import type { EntityManager } from "typeorm";
import { z } from "zod";
import { dropCatalogue } from "../../../platform/cache-tags.ts";
import { getCategoryBySlug } from "../../../services/catalogue/categories.ts";
import {
  changeSubCategory,
  createSubCategory,
  deleteSubCategory,
  getSubCategoryBySlug,
} from "../../../services/catalogue/sub-categories.ts";
import { defineRoute } from "../../http/define-route.ts";
import { line, required, uuid } from "../../http/fields.ts";
import { jsonArray, jsonPage, type WriteItem } from "../../http/json-writer.ts";
import { pageOrArrayOf, pageQuery, slice } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext } from "../../http/types.ts";
import { NestedSubCategory, type NestedSubCategoryView } from "../../views/category.ts";
import { parentBytes, parentsOf } from "../../views/parents.ts";
import { SubCategoryDetail, showSubCategory, subCategoryDetail } from "../../views/sub-category.ts";
import { answerWrite, cachedDetail, changeProblems, deleteProblems, writeProblems } from "./with-image.ts";

const tag = "Sub-categories";
const image = { field: "image_blob", folder: "sub-categories" };
const params = z.object({ sub_category_id: uuid });
const shown = { entity: "sub-category", show: showSubCategory } as const;

const ListQuery = pageQuery().extend({
  category_id: uuid.optional(),
  category_slug: line(2_000).optional().meta({ description: "Instead of category_id" }),
});

const write: WriteItem<NestedSubCategoryView> = (writer, view) => writer.bytes(parentBytes(view));

/** The sub-categories of a category, or all. */
async function list(context: ApiContext, reader: EntityManager, query: z.output<typeof ListQuery>) {
  const { category_id, category_slug } = query;
  const bySlug = category_id === undefined && category_slug !== undefined;
  const categoryId = bySlug ? (await getCategoryBySlug(reader, category_slug)).id : category_id;
  const all = [...(await parentsOf(context, reader, [])).values()];
  return all.filter((one) => categoryId === undefined || one.category_id === categoryId);
}

export const subCategoryRoutes = [
  defineRoute({
    method: "get",
    path: "/sub-categories",
    summary: "List sub-categories by name, all or those of a category",
    tag,
    access: "public",
    cache: "public",
    query: ListQuery,
    responses: { 200: pageOrArrayOf(NestedSubCategory), 404: Problem, 422: InvalidRequest },
    async handle(context, { query, profile, reader }) {
      const isWhole = profile === "warehouse";
      const { page, size, category_id, category_slug } = query;
      const key = [category_id ?? `/${category_slug ?? ""}`, ...(isWhole ? ["all"] : [page, size])].join(":");
      // Unknown categories and pages past the end are unlimited, so they are not cached.
      let isEmpty = false;
      const load = async () => {
        const all = await list(context, reader, query);
        const { offset, limit } = slice(query);
        const part = isWhole ? all : all.slice(offset, offset + limit);
        isEmpty = part.length === 0;
        return isWhole ? jsonArray(part, write) : jsonPage(part, all.length, query, write);
      };
      return { status: 200, cached: await context.cache.read("tree", `sub-categories:${key}`, load, () => !isEmpty) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/sub-categories/slug/{slug}",
    summary: "Get a sub-category by slug",
    tag,
    access: "public",
    cache: "public",
    params: z.object({ slug: line(2_000) }),
    responses: { 200: SubCategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { slug }, reader }) {
      const load = async () => subCategoryDetail(await getSubCategoryBySlug(reader, slug), context);
      return cachedDetail(context, "tree", `sub-categories:slug:${slug}`, load);
    },
  }),
  defineRoute({
    method: "get",
    path: "/sub-categories/{sub_category_id}",
    summary: "Get a sub-category by id",
    tag,
    access: "public",
    cache: "public",
    params,
    responses: { 200: SubCategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { sub_category_id }, reader }) {
      return { status: 200, body: await showSubCategory(context, reader, sub_category_id) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/sub-categories",
    summary: "Create a sub-category",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    accepts: ["form"],
    body: z.object({ name: required(line()), category_id: required(uuid) }),
    image: { ...image, required: true },
    responses: { 201: SubCategoryDetail, ...writeProblems },
    async handle(context, { body: { name, category_id }, image, commit, wait }) {
      if (!image) throw new Error("The route declares its picture as required");
      const result = await commit(async (tx) => {
        const id = await createSubCategory(tx, { name, categoryId: category_id, image });
        return { status: 201, body: await showSubCategory(context, tx, id) };
      });
      return answerWrite(context, shown, result, wait);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/sub-categories/{sub_category_id}",
    summary: "Update a sub-category",
    tag,
    access: "EMPLOYEE",
    params,
    accepts: ["form"],
    body: z.object({ name: line().optional(), category_id: uuid.optional() }),
    image: { ...image, required: false },
    responses: { 200: SubCategoryDetail, ...changeProblems },
    async handle(context, { params: { sub_category_id: id }, body: { name, category_id }, image, commit, wait }) {
      const result = await commit(async (tx) => {
        await changeSubCategory(tx, id, { name, categoryId: category_id, image });
        return { status: 200, body: await showSubCategory(context, tx, id) };
      });
      return answerWrite(context, shown, result, image && wait);
    },
  }),
  defineRoute({
    method: "delete",
    path: "/sub-categories/{sub_category_id}",
    summary: "Delete a sub-category that has no products",
    tag,
    access: "ADMIN",
    params,
    responses: { 204: z.null(), ...deleteProblems, 409: Problem },
    async handle(context, { params: { sub_category_id }, commit }) {
      const result = await commit(async (tx) => {
        await deleteSubCategory(tx, sub_category_id);
        return { status: 204 };
      });
      void dropCatalogue(context.cache, "sub-category");
      return result;
    },
  }),
];
