import { z } from "zod";
import { categories } from "../../../db/dao/catalogue/categories.ts";
import type { Category } from "../../../db/entities/catalogue/category.ts";
import { dropCatalogue } from "../../../platform/cache-tags.ts";
import {
  changeCategory,
  createCategory,
  deleteCategory,
  getCategory,
  getCategoryBySlug,
} from "../../../services/catalogue/categories.ts";
import { defineRoute } from "../../http/define-route.ts";
import { line, required, timestamp, uuid } from "../../http/fields.ts";
import { pageOrArrayOf, pageQuery, slice, toPage } from "../../http/paging.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext } from "../../http/types.ts";
import { ImageView, imageView } from "../../views/image.ts";
import {
  answerWrite,
  cachedDetail,
  changeProblems,
  deleteProblems,
  PictureDetail,
  pictureDetail,
  type Show,
  writeProblems,
} from "./with-image.ts";

const tag = "Categories";
const image = { field: "image_blob", folder: "categories" };
const params = z.object({ category_id: uuid });

const CategoryView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    ...ImageView,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Category" });

const CategoryDetail = CategoryView.extend(PictureDetail).meta({ id: "CategoryDetail" });

function categoryView(category: Category, context: ApiContext): z.output<typeof CategoryView> {
  return {
    id: category.id,
    name: category.name,
    slug: category.slug,
    ...imageView(category, context.store),
    created_at: category.createdAt.toISOString(),
    updated_at: category.updatedAt.toISOString(),
  };
}

function categoryDetail(category: Category, context: ApiContext): z.output<typeof CategoryDetail> {
  return { ...categoryView(category, context), ...pictureDetail(category, category.image?.job ?? null, context) };
}

const showCategory = (async (context, reader, id) =>
  categoryDetail(await getCategory(reader, id), context)) satisfies Show;
const shown = { entity: "category", show: showCategory } as const;

export const categoryRoutes = [
  defineRoute({
    method: "get",
    path: "/categories",
    summary: "List categories by name",
    tag,
    access: "public",
    cache: "public",
    query: pageQuery(),
    responses: { 200: pageOrArrayOf(CategoryView), 422: InvalidRequest },
    async handle(context, { query, profile, reader }) {
      const key = profile === "warehouse" ? "list:all" : `list:${query.page}:${query.size}`;
      // Pages past the end are unlimited, so they are not cached.
      let isPastEnd = false;
      const load = async () => {
        if (profile === "warehouse") return (await categories.all(reader)).map((one) => categoryView(one, context));
        const [rows, total] = await categories.list(reader, slice(query));
        isPastEnd = rows.length === 0;
        return toPage(
          rows.map((one) => categoryView(one, context)),
          total,
          query,
        );
      };
      const cached = await context.cache.read("tree", `categories:${key}`, load, () => !isPastEnd);
      return { status: 200, cached };
    },
  }),
  defineRoute({
    method: "get",
    path: "/categories/slug/{slug}",
    summary: "Get a category by slug",
    tag,
    access: "public",
    cache: "public",
    params: z.object({ slug: line(2_000) }),
    responses: { 200: CategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { slug }, reader }) {
      const load = async () => categoryDetail(await getCategoryBySlug(reader, slug), context);
      return cachedDetail(context, "tree", `categories:slug:${slug}`, load);
    },
  }),
  defineRoute({
    method: "get",
    path: "/categories/{category_id}",
    summary: "Get a category by id",
    tag,
    access: "public",
    cache: "public",
    params,
    responses: { 200: CategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { category_id }, reader }) {
      return { status: 200, body: await showCategory(context, reader, category_id) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/categories",
    summary: "Create a category",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    accepts: ["form"],
    body: z.object({ name: required(line()) }),
    image: { ...image, required: true },
    responses: { 201: CategoryDetail, ...writeProblems },
    async handle(context, { body: { name }, image, commit, wait }) {
      if (!image) throw new Error("The route declares its picture as required");
      const result = await commit(async (tx) => {
        const id = await createCategory(tx, { name, image });
        return { status: 201, body: await showCategory(context, tx, id) };
      });
      return answerWrite(context, shown, result, wait);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/categories/{category_id}",
    summary: "Update a category",
    tag,
    access: "EMPLOYEE",
    params,
    accepts: ["form"],
    body: z.object({ name: line().optional() }),
    image: { ...image, required: false },
    responses: { 200: CategoryDetail, ...changeProblems },
    async handle(context, { params: { category_id: id }, body: { name }, image, commit, wait }) {
      const result = await commit(async (tx) => {
        await changeCategory(tx, id, { name, image });
        return { status: 200, body: await showCategory(context, tx, id) };
      });
      return answerWrite(context, shown, result, image && wait);
    },
  }),
  defineRoute({
    method: "delete",
    path: "/categories/{category_id}",
    summary: "Delete a category that has no sub-categories",
    tag,
    access: "ADMIN",
    params,
    responses: { 204: z.null(), ...deleteProblems, 409: Problem },
    async handle(context, { params: { category_id }, commit }) {
      const result = await commit(async (tx) => {
        await deleteCategory(tx, category_id);
        return { status: 204 };
      });
      void dropCatalogue(context.cache, "category");
      return result;
    },
  }),
];
