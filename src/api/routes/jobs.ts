import { z } from "zod";
import { type Job, jobStates } from "../../db/entities/job.ts";
import { findJob } from "../../db/ledger.ts";
import { NotFoundError } from "../../errors.ts";
import { isJobName, jobs } from "../../jobs/index.ts";
import type { Actor } from "../context.ts";
import { defineRoute } from "../define-route.ts";
import { timestamp, uuid } from "../fields.ts";
import { InvalidRequest, Problem } from "../problem.ts";

const status = z.enum(jobStates).meta({
  description: "open: waits; running: at work; succeeded, failed, cancelled: over; unknown: an operator has to look",
});

/** A job as the answer to the request that promised it. */
export const JobLink = z
  .object({ id: z.uuid(), status, url: z.url() })
  .meta({ id: "JobLink", description: "Work that goes on in the background, and where to ask about it" });

const JobView = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    description: z.string().nullable(),
    queue: z.string(),
    status,
    entity: z.object({ type: z.string(), id: z.string() }).nullable(),
    failures: z.int().meta({ description: "Runs that failed so far" }),
    max_failures: z.int(),
    error: z
      .object({ name: z.string(), message: z.string(), at: timestamp })
      .nullable()
      .meta({ description: "The last failure, also of a job that succeeded since" }),
    result: z.unknown(),
    created_at: timestamp,
    started_at: timestamp.nullable(),
    finished_at: timestamp.nullable(),
  })
  .meta({ id: "Job" });

/** The link to a job, for the answer of the entity that it belongs to. */
export function jobLink(job: Pick<Job, "id" | "state">, publicUrl: string): z.output<typeof JobLink> {
  return { id: job.id, status: job.state, url: `${publicUrl}/jobs/${job.id}` };
}

function jobView(job: Job): z.output<typeof JobView> {
  return {
    id: job.id,
    kind: job.kind,
    description: isJobName(job.kind) ? jobs[job.kind].description : null,
    queue: job.queue,
    status: job.state,
    entity: job.entityType && job.entityId ? { type: job.entityType, id: job.entityId } : null,
    failures: job.failures,
    max_failures: job.maxFailures,
    error: job.lastError,
    result: job.result,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
  };
}

/** Somebody else's job looks like one that does not exist. */
function maySee(job: Job, actor: Actor) {
  return actor.role !== "USER" || job.actorId === actor.id;
}

export const jobRoutes = [
  defineRoute({
    method: "get",
    path: "/jobs/{job_id}",
    summary: "How far a job is: the caller's own, or any for staff",
    tag: "Jobs",
    access: "USER",
    params: z.object({ job_id: uuid }),
    responses: { 200: JobView, 401: Problem, 404: Problem, 422: InvalidRequest },
    async handle(_context, { params, actor, reader }) {
      const job = await findJob(reader, params.job_id);
      if (!job || !maySee(job, actor)) throw new NotFoundError(`Job with id ${params.job_id} not found.`);
      // A client that polls should leave the server a moment.
      const headers: Record<string, string> = job.finishedAt ? {} : { "retry-after": "1" };
      return { status: 200, body: jobView(job), headers };
    },
  }),
];
