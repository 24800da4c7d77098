import type { EntityManager } from "typeorm";
import type { z } from "zod";
import type { Job } from "../../../engine/index.ts";
import { AppError } from "../../../errors.ts";
import { type CacheTag, type CatalogueEntity, dropCatalogue } from "../../../platform/cache-tags.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { ApiContext, Result, Wait } from "../../http/types.ts";
import { ImageView, imageView, type WithImage } from "../../views/image.ts";
import { JobLink, jobLink } from "../../views/job.ts";
import { awaitJob } from "../operations/await-job.ts";

/** Fields of the picture of a single entity, besides the address that it has in lists. */
export const PictureDetail = {
  ...ImageView,
  image_job: JobLink.nullable().meta({ description: "The job that processes the shown picture" }),
};

/** The picture of a single entity and the job that makes, or made, it. */
export function pictureDetail(
  row: WithImage,
  job: Pick<Job, "id" | "state"> | null,
  { store, publicUrl }: ApiContext,
  fallback?: string,
) {
  return { ...imageView(row, store, fallback), image_job: job && jobLink(job, publicUrl) };
}

/** Answers to a write besides its success. */
export const writeProblems = {
  401: Problem,
  403: Problem,
  409: Problem,
  413: Problem,
  415: Problem,
  422: InvalidRequest,
  503: Problem,
};

/** As `writeProblems`, for an entity that may be missing, or may refuse the change. */
export const changeProblems = { ...writeProblems, 400: Problem, 404: Problem };

/** Answers to a deletion; 409 where another entity still needs this one. */
export const deleteProblems = { 401: Problem, 403: Problem, 404: Problem, 422: InvalidRequest };

interface Shown {
  id: string;
  image_job: z.output<typeof JobLink> | null;
}

/** How to show one entity: inside the transaction that changed it, and again when its picture is published. */
export type Show = (context: ApiContext, reader: EntityManager, id: string) => Promise<Shown>;

/**
 * The answer to a committed write: invalidates what the write makes stale; if the caller waits for the picture
 * (`wait`), the answer shows the state after that.
 */
export async function answerWrite(
  context: ApiContext,
  { entity, show }: { entity: CatalogueEntity; show: Show },
  result: Result,
  wait: Wait | undefined,
): Promise<Result> {
  void dropCatalogue(context.cache, entity);
  const { id, image_job: job } = result.body as Shown;
  if (!wait || !job) return result;
  try {
    await awaitJob(context.db, job.id, wait.seconds, wait.signal);
    const body = await show(context, context.db.manager, id);
    return { ...result, body, headers: { ...result.headers, "preference-applied": `wait=${wait.seconds}` } };
  } catch (error) {
    // A refusal here would remove the picture of a committed write, whose answer belongs to its caller.
    if (error instanceof AppError) return result;
    throw error;
  }
}

/** One entity from the cache, unless its picture is being made: then its job's state changes without invalidation. */
export async function cachedDetail(
  context: ApiContext,
  tag: CacheTag,
  key: string,
  load: () => Promise<Shown>,
): Promise<Result> {
  let isSettled = false;
  const loadAndLook = async () => {
    const body = await load();
    isSettled = !["open", "running"].includes(body.image_job?.status ?? "");
    return body;
  };
  return { status: 200, cached: await context.cache.read(tag, key, loadAndLook, () => isSettled) };
}
