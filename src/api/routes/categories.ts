import { z } from "zod";
import { categories } from "../../db/dao/categories.ts";
import type { Category } from "../../db/entities/category.ts";
import {
  changeCategory,
  createCategory,
  deleteCategory,
  getCategory,
  getCategoryBySlug,
} from "../../services/categories.ts";
import { awaitJob } from "../await-job.ts";
import type { ApiContext } from "../context.ts";
import { defineRoute, type Wait } from "../define-route.ts";
import { line, required, timestamp, uuid } from "../fields.ts";
import { ImageView, imageView } from "../image-view.ts";
import { pageOf, pageQuery, slice, toPage } from "../paging.ts";
import { InvalidRequest, Problem } from "../problem.ts";
import { JobLink, jobLink } from "./jobs.ts";

/** Cached answers that show categories belong to this tag. */
const cacheTag = "category";

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

const CategoryDetail = CategoryView.extend({
  image_job: JobLink.nullable().meta({ description: "The job that makes, or made, the shown picture" }),
}).meta({ id: "CategoryDetail" });

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
  const job = category.image?.job ?? null;
  return { ...categoryView(category, context), image_job: job && jobLink(job, context.publicUrl) };
}

/** The answer to a write: the new state, after the picture is done if the caller wants to wait for that. */
async function answerWrite(context: ApiContext, status: number, id: string, wait: Wait | undefined) {
  void context.cache.invalidate(cacheTag);
  const category = await getCategory(context.db.manager, id);
  if (wait === undefined || !category.image?.jobId) {
    return { status, body: categoryDetail(category, context) };
  }
  await awaitJob(context.db, category.image.jobId, wait.seconds, wait.signal);
  const body = categoryDetail(await getCategory(context.db.manager, id), context);
  return { status, body, headers: { "preference-applied": `wait=${wait.seconds}` } };
}

export const categoryRoutes = [
  defineRoute({
    method: "get",
    path: "/categories",
    summary: "List categories by name",
    tag,
    query: pageQuery(),
    responses: { 200: pageOf(CategoryView), 422: InvalidRequest },
    async handle(context, { query, profile }) {
      const { manager } = context.db;
      const key = profile === "warehouse" ? "list:all" : `list:${query.page}:${query.size}`;
      // There is no end of pages past the end, so those are not kept.
      let isPastEnd = false;
      const load = async () => {
        if (profile === "warehouse") return (await categories.all(manager)).map((one) => categoryView(one, context));
        const [rows, total] = await categories.list(manager, slice(query));
        isPastEnd = rows.length === 0;
        return toPage(
          rows.map((one) => categoryView(one, context)),
          total,
          query,
        );
      };
      const cached = await context.cache.read(cacheTag, key, load, () => !isPastEnd);
      return { status: 200, cached };
    },
  }),
  defineRoute({
    method: "get",
    path: "/categories/slug/{slug}",
    summary: "One category by its slug",
    tag,
    params: z.object({ slug: line(2_000) }),
    responses: { 200: CategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { slug } }) {
      const category = await getCategoryBySlug(context.db.manager, slug);
      return { status: 200, body: categoryDetail(category, context) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/categories/{category_id}",
    summary: "One category by its id",
    tag,
    params,
    responses: { 200: CategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { category_id } }) {
      const category = await getCategory(context.db.manager, category_id);
      return { status: 200, body: categoryDetail(category, context) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/categories",
    summary: "Create a category; its picture is processed in the background",
    tag,
    role: "EMPLOYEE",
    form: z.object({ name: required(line()) }),
    image: { ...image, required: true },
    responses: {
      201: CategoryDetail,
      401: Problem,
      403: Problem,
      409: Problem,
      413: Problem,
      415: Problem,
      422: InvalidRequest,
      503: Problem,
    },
    async handle(context, { form: { name }, image, origin, wait }) {
      if (!image) throw new Error("The route declares its picture as required");
      const id = await context.transact(origin, (tx) => createCategory(tx, { name, image }));
      return answerWrite(context, 201, id, wait);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/categories/{category_id}",
    summary: "Rename a category or give it another picture; what is not sent stays",
    tag,
    role: "EMPLOYEE",
    params,
    form: z.object({ name: line().optional() }),
    image: { ...image, required: false },
    responses: {
      200: CategoryDetail,
      400: Problem,
      401: Problem,
      403: Problem,
      404: Problem,
      409: Problem,
      413: Problem,
      415: Problem,
      422: InvalidRequest,
      503: Problem,
    },
    async handle(context, { params: { category_id }, form: { name }, image, origin, wait }) {
      await context.transact(origin, (tx) => changeCategory(tx, category_id, { name, image }));
      return answerWrite(context, 200, category_id, image ? wait : undefined);
    },
  }),
  defineRoute({
    method: "delete",
    path: "/categories/{category_id}",
    summary: "Delete a category that has no sub-categories",
    tag,
    role: "ADMIN",
    params,
    responses: { 204: z.null(), 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
    async handle(context, { params: { category_id }, origin }) {
      await context.transact(origin, (tx) => deleteCategory(tx, category_id));
      void context.cache.invalidate(cacheTag);
      return { status: 204 };
    },
  }),
];
