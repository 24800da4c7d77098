import type { EntityManager } from "typeorm";
import { z } from "zod";
import { findJob, type Job, type JobFilter, jobQueries, jobStates } from "../../../engine/index.ts";
import { NotFoundError } from "../../../errors.ts";
import { cancelJob, retryJob } from "../../../services/operations/job-control.ts";
import { type ReplayFilter, requestReplay } from "../../../services/operations/replays.ts";
import { defineRoute } from "../../http/define-route.ts";
import { integer, line, timestamp, uuid } from "../../http/fields.ts";
import { InvalidRequest, Problem } from "../../http/problem.ts";
import type { Actor } from "../../http/types.ts";
import { JobLink, JobView, jobLink, jobView } from "../../views/job.ts";
import { awaitJob } from "./await-job.ts";
import { jobEvents } from "./job-events.ts";
import { operatorOf } from "./operator.ts";

const tag = "Jobs";
const params = z.object({ job_id: uuid });
const refusals = { 401: Problem, 404: Problem, 422: InvalidRequest };
const why = line(300).nullish();

/** `offer:0b9e…` */
const entity = z
  .string()
  .regex(/^[a-z-]{1,40}:[\w.-]{1,100}$/, "is not like 'offer:<id>'")
  .transform((text) => ({ type: text.slice(0, text.indexOf(":")), id: text.slice(text.indexOf(":") + 1) }));

const name = z.string().regex(/^[a-z][a-z-]{0,60}$/, "is not the name of a queue or a kind of job");

const JobFailure = z
  .object({
    kind: z.string(),
    error_key: z.string().nullable(),
    count: z.int(),
    first_at: timestamp,
    last_at: timestamp,
    example: z.object({ id: z.uuid(), message: z.string().nullable() }),
  })
  .meta({ id: "JobFailure", description: "Unsuccessful jobs of one kind and cause" });

const Replay = z.object({
  filter: z
    .object({
      state: z.enum(["failed", "unknown", "cancelled"]).optional(),
      queue: name.optional(),
      kind: name.optional(),
      entity: entity.optional(),
      error: line(200).optional(),
      ended_since: timestamp.optional(),
      ended_until: timestamp.optional(),
    })
    .refine((filter) => Object.values(filter).some((value) => value !== undefined), {
      message: "an empty filter would replay everything; say which jobs are meant",
    }),
  limit_per_minute: z.int().min(1).max(60_000).default(600),
  reason: why.meta({ description: "Why; needed unless it is a dry run" }),
  dry_run: z.boolean().default(false),
});

/** Another user's job looks like one that does not exist. */
async function visibleJob(tx: EntityManager, id: string, actor: Actor): Promise<Job> {
  const job = await findJob(tx, id);
  if (job && (actor.role !== "USER" || job.actorId === actor.id)) return job;
  throw new NotFoundError(`Job with id ${id} not found.`);
}

async function viewOf(tx: EntityManager, job: Job, actor: Actor) {
  return jobView(job, await jobQueries.children(tx, job.id), actor.role !== "USER");
}

const averages = new Map<string, { seconds: number; until: number }>();
const averageMs = 60_000;

/** A polling client should wait about as long as such a job takes. */
async function retryAfter(tx: EntityManager, { kind, finishedAt }: Job): Promise<Record<string, string>> {
  if (finishedAt) return {};
  const known = averages.get(kind);
  const isKnown = known !== undefined && known.until > Date.now();
  const seconds = isKnown ? known.seconds : ((await jobQueries.typicalSeconds(tx, kind)) ?? 1);
  if (!isKnown) averages.set(kind, { seconds, until: Date.now() + averageMs });
  return { "retry-after": String(Math.min(60, Math.max(1, Math.ceil(seconds)))) };
}

function toFilter({ error, ended_since, ended_until, ...filter }: z.output<typeof Replay>["filter"]): ReplayFilter {
  const all = { ...filter, errorKey: error, endedSince: ended_since, endedUntil: ended_until };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as ReplayFilter;
}

export const jobRoutes = [
  defineRoute({
    method: "get",
    path: "/jobs",
    summary: "List jobs, newest first",
    description: "The next page begins `before` the last job of this one; there is none when `next` is null.",
    tag,
    access: "EMPLOYEE",
    query: z.object({
      state: z.enum(jobStates).optional(),
      queue: name.optional(),
      kind: name.optional(),
      entity: entity.optional(),
      parent_id: uuid.optional(),
      error: line(300).optional().meta({ description: "An `error_key`" }),
      before: uuid.optional(),
      size: integer(z.int().min(1).max(500).default(100)),
    }),
    responses: {
      200: z.object({ items: z.array(JobView), next: z.uuid().nullable() }),
      401: Problem,
      422: InvalidRequest,
    },
    async handle(_context, { query, reader }) {
      const { before, size, parent_id: parentId, error: errorKey, ...rest } = query;
      const filter: JobFilter = { ...rest, parentId, errorKey };
      const jobs = await jobQueries.list(reader, filter, before, size);
      const items = jobs.map((job) => jobView(job, null, true));
      const next = jobs.length === size ? (jobs.at(-1)?.id ?? null) : null;
      return { status: 200, body: { items, next } };
    },
  }),
  defineRoute({
    method: "get",
    path: "/jobs/failures",
    summary: "Summarize unsuccessful jobs by kind and cause",
    tag,
    access: "EMPLOYEE",
    query: z.object({ since: z.iso.datetime().optional().meta({ description: "14 days ago if absent" }) }),
    responses: { 200: z.object({ items: z.array(JobFailure) }), 401: Problem, 422: InvalidRequest },
    async handle(_context, { query, reader }) {
      const since = query.since ? new Date(query.since) : new Date(Date.now() - 14 * 24 * 3_600_000);
      const items = (await jobQueries.failures(reader, since)).map((row) => ({
        kind: row.kind,
        error_key: row.errorKey,
        count: row.count,
        first_at: row.firstAt.toISOString(),
        last_at: row.lastAt.toISOString(),
        example: { id: row.exampleId, message: row.message },
      }));
      return { status: 200, body: { items } };
    },
  }),
  defineRoute({
    method: "post",
    path: "/jobs/replays",
    summary: "Replay unsuccessful jobs at a given rate",
    description:
      "Returns the job that does it: its progress is shown there, and cancelling it stops the rest. The same " +
      "filter while that goes on is the same replay. `dry_run` only counts, and is open to all employees. The rest is for " +
      "operators, and for admins where newsletters or other bulk jobs are among them: `BOARD_OPERATORS`.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    body: Replay,
    responses: {
      200: z.object({ count: z.int(), sample: z.array(z.uuid()) }),
      202: JobLink,
      401: Problem,
      422: InvalidRequest,
    },
    handle(context, { body, actor, commit }) {
      const filter = toFilter(body.filter);
      return commit(async (tx) => {
        if (body.dry_run) {
          const { ids, count } = await jobQueries.unsuccessful(tx, filter, new Date(), 10);
          return { status: 200, body: { count, sample: ids } };
        }
        const operator = await operatorOf(context, tx, actor, body.reason);
        const id = await requestReplay(tx, filter, body.limit_per_minute, operator);
        const link = jobLink({ id, state: "open" }, context.publicUrl);
        return { status: 202, body: link, headers: { location: link.url } };
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/jobs/{job_id}",
    summary: "Get a job: one's own, or any for staff",
    description: "`Prefer: wait=N` answers when the job is over, or after N seconds.",
    tag,
    waits: true,
    access: "USER",
    params,
    responses: { 200: JobView, ...refusals },
    async handle(context, { params: { job_id }, actor, reader, wait }) {
      let job = await visibleJob(reader, job_id, actor);
      if (wait) {
        await awaitJob(context.db, job.id, wait.seconds, wait.signal);
        job = await visibleJob(reader, job_id, actor);
      }
      const headers = {
        ...(await retryAfter(reader, job)),
        ...(wait && { "preference-applied": `wait=${wait.seconds}` }),
      };
      return { status: 200, body: await viewOf(reader, job, actor), headers };
    },
  }),
  defineRoute({
    method: "get",
    path: "/jobs/{job_id}/events",
    summary: "Follow a job by server-sent events",
    description:
      "Each `job` event is the whole job; `end` follows the last one. `Last-Event-ID` resumes where another connection, to " +
      "any server, stopped. The stream ends without `end` when the token does, or the caller's right.",
    tag,
    waits: true,
    access: "USER",
    params,
    responses: { 200: { mediaTypes: ["text/event-stream"] }, ...refusals, 429: Problem },
    async handle(context, { params: { job_id }, actor, reader, headers, aborted }) {
      const job = await visibleJob(reader, job_id, actor);
      const last = headers["last-event-id"];
      const stream = jobEvents(context, job, actor, typeof last === "string" ? last : undefined, aborted);
      return { status: 200, stream, headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" } };
    },
  }),
  defineRoute({
    method: "post",
    path: "/jobs/{job_id}/retry",
    summary: "Retry a job that is failed, cancelled or unknown",
    description:
      "One's own, or any for operators. Newsletters, their mails and other bulk jobs are for admins, with a reason.",
    tag,
    access: "EMPLOYEE",
    idempotent: true,
    params,
    body: z.object({ reason: why }).optional(),
    responses: { 202: JobView, ...refusals, 409: Problem },
    handle: (context, { params: { job_id }, body, actor, commit }) =>
      commit(async (tx) => {
        await retryJob(tx, job_id, await operatorOf(context, tx, actor, body?.reason));
        return { status: 202, body: await viewOf(tx, await visibleJob(tx, job_id, actor), actor) };
      }),
  }),
  defineRoute({
    method: "post",
    path: "/jobs/{job_id}/cancel",
    summary: "Cancel a job and its unfinished parts: one's own, or any for operators, with a reason",
    description:
      "A waiting job is cancelled at once (200); a running one is told to stop, and stops within a second (202). Newsletters, " +
      "their mails and other bulk jobs are for admins.",
    tag,
    access: "USER",
    idempotent: true,
    params,
    body: z.object({ reason: why }).optional(),
    responses: { 200: JobView, 202: JobView, ...refusals, 409: Problem },
    handle: (context, { params: { job_id }, body, actor, commit }) =>
      commit(async (tx) => {
        await visibleJob(tx, job_id, actor);
        await cancelJob(tx, job_id, await operatorOf(context, tx, actor, body?.reason));
        const job = await visibleJob(tx, job_id, actor);
        return { status: job.finishedAt ? 200 : 202, body: await viewOf(tx, job, actor) };
      }),
  }),
];
