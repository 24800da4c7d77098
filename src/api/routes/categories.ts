import type { EntityManager } from "typeorm";
import { z } from "zod";
import { categories } from "../../db/dao/categories.ts";
import type { Category } from "../../db/entities/category.ts";
import { dropCatalogue } from "../../platform/cache-tags.ts";
import {
  changeCategory,
  createCategory,
  deleteCategory,
  getCategory,
  getCategoryBySlug,
} from "../../services/categories.ts";
import { awaitJob } from "../await-job.ts";
import type { ApiContext } from "../context.ts";
import { defineRoute, type Result, type Wait } from "../define-route.ts";
import { line, required, timestamp, uuid } from "../fields.ts";
import { pageOrArrayOf, pageQuery, slice, toPage } from "../paging.ts";
import { InvalidRequest, Problem } from "../problem.ts";
import { ImageView, imageView } from "../views/image.ts";
import { JobLink, jobLink } from "./jobs.ts";

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

/** The answer to a write, made inside its transaction. */
async function answerWrite(context: ApiContext, tx: EntityManager, status: number, id: string): Promise<Result> {
  return { status, body: categoryDetail(await getCategory(tx, id), context) };
}

/** Waits for the picture if the caller wants to, and shows the state after that. */
async function awaitPicture(context: ApiContext, result: Result, wait: Wait | undefined): Promise<Result> {
  void dropCatalogue(context.cache, "category");
  const { id, image_job: job } = result.body as z.output<typeof CategoryDetail>;
  if (!wait || !job) return result;
  await awaitJob(context.db, job.id, wait.seconds, wait.signal);
  const { body } = await answerWrite(context, context.db.manager, result.status, id);
  return { ...result, body, headers: { ...result.headers, "preference-applied": `wait=${wait.seconds}` } };
}

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
      // There is no end of pages past the end, so those are not kept.
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
    summary: "One category by its slug",
    tag,
    access: "public",
    cache: "public",
    params: z.object({ slug: line(2_000) }),
    responses: { 200: CategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { slug }, reader }) {
      const category = await getCategoryBySlug(reader, slug);
      return { status: 200, body: categoryDetail(category, context) };
    },
  }),
  defineRoute({
    method: "get",
    path: "/categories/{category_id}",
    summary: "One category by its id",
    tag,
    access: "public",
    cache: "public",
    params,
    responses: { 200: CategoryDetail, 404: Problem, 422: InvalidRequest },
    async handle(context, { params: { category_id }, reader }) {
      const category = await getCategory(reader, category_id);
      return { status: 200, body: categoryDetail(category, context) };
    },
  }),
  defineRoute({
    method: "post",
    path: "/categories",
    summary: "Create a category; its picture is processed in the background",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    accepts: ["form"],
    body: z.object({ name: required(line()) }),
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
    async handle(context, { body: { name }, image, commit, wait }) {
      if (!image) throw new Error("The route declares its picture as required");
      const result = await commit(async (tx) =>
        answerWrite(context, tx, 201, await createCategory(tx, { name, image })),
      );
      return awaitPicture(context, result, wait);
    },
  }),
  defineRoute({
    method: "patch",
    path: "/categories/{category_id}",
    summary: "Rename a category or give it another picture; what is not sent stays",
    tag,
    access: "EMPLOYEE",
    params,
    accepts: ["form"],
    body: z.object({ name: line().optional() }),
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
    async handle(context, { params: { category_id }, body: { name }, image, commit, wait }) {
      const result = await commit(async (tx) => {
        await changeCategory(tx, category_id, { name, image });
        return answerWrite(context, tx, 200, category_id);
      });
      return awaitPicture(context, result, image ? wait : undefined);
    },
  }),
  defineRoute({
    method: "delete",
    path: "/categories/{category_id}",
    summary: "Delete a category that has no sub-categories",
    tag,
    access: "ADMIN",
    params,
    responses: { 204: z.null(), 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: InvalidRequest },
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
