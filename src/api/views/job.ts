import { z } from "zod";
import { type Job, type JobState, jobStates } from "../../engine/index.ts";
import { isJobName, jobs } from "../../jobs/index.ts";
import { timestamp } from "../http/fields.ts";

const status = z.enum(jobStates).meta({
  description:
    "open: queued; running: in progress; waiting: for its children; succeeded, failed, cancelled: finished; unknown: an operator must check",
});

/** A job in the answer to the request that enqueued it. */
export const JobLink = z
  .object({ id: z.uuid(), status, url: z.url() })
  .meta({ id: "JobLink", description: "A background job and its address" });

const JobAttemptView = z
  .object({
    started_at: timestamp.nullable(),
    ended_at: timestamp,
    outcome: z.enum(["failed", "rescheduled", "interrupted", "crashed", "cancelled", "unknown"]),
    error: z.object({ name: z.string(), message: z.string() }).nullable(),
    worker: z.string().nullable().meta({ description: "Only for staff" }),
  })
  .meta({ id: "JobAttempt", description: "A run that did not succeed" });

export const JobView = z
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
      .meta({ description: "The last failure, also of a job that has succeeded since" }),
    error_key: z.string().nullable().meta({ description: "Equal for failures of one cause" }),
    attempts: z.array(JobAttemptView).meta({ description: "The last 20 runs that did not succeed, oldest first" }),
    progress: z
      .object({ done: z.int(), total: z.int().nullable() })
      .nullable()
      .meta({ description: "Progress; of a job with children, how many of them are finished" }),
    children: z
      .record(z.string(), z.int())
      .nullable()
      .meta({ description: "Jobs that are parts of this one, by status; null in lists and of jobs without" }),
    parent_id: z.uuid().nullable(),
    request_id: z
      .string()
      .nullable()
      .meta({ description: "X-Request-Id of the request that enqueued it, as in logs and traces; for staff only" }),
    cancellation: z.object({ at: timestamp, by: z.uuid().nullable(), reason: z.string().nullable() }).nullable(),
    result: z.unknown(),
    created_at: timestamp,
    run_at: timestamp.meta({ description: "When workers could, or will be able to, start it" }),
    started_at: timestamp.nullable(),
    finished_at: timestamp.nullable(),
  })
  .meta({ id: "Job" });

/** The link to a job, for the answer of the entity that it belongs to. */
export function jobLink(job: Pick<Job, "id" | "state">, publicUrl: string): z.output<typeof JobLink> {
  return { id: job.id, status: job.state, url: `${publicUrl}/jobs/${job.id}` };
}

export type Children = Partial<Record<JobState, number>>;

/** A job for its owner, or for staff, with the names of workers and of the user who cancelled it. */
export function jobView(job: Job, children: Children | null, isStaff: boolean): z.output<typeof JobView> {
  const { cancellation } = job;
  return {
    id: job.id,
    kind: job.kind,
    description: isJobName(job.kind) ? jobs[job.kind].description : null,
    queue: job.queue,
    status: job.state,
    entity: job.entityType && job.entityId ? { type: job.entityType, id: job.entityId } : null,
    failures: job.failures,
    max_failures: job.maxFailures,
    error: job.lastError && { ...job.lastError, at: new Date(job.lastError.at).toISOString() },
    error_key: job.errorKey,
    attempts: job.attempts.map(({ started_at, ended_at, outcome, error, worker }) => ({
      ...{ started_at, ended_at, outcome, error },
      worker: isStaff ? worker : null,
    })),
    progress: progressOf(job, children),
    children: children && Object.keys(children).length > 0 ? (children as Record<string, number>) : null,
    parent_id: job.parentId,
    request_id: isStaff ? job.traceId : null,
    cancellation: cancellation && { ...cancellation, by: isStaff ? cancellation.by : null },
    result: job.result,
    created_at: job.createdAt.toISOString(),
    run_at: job.runAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
  };
}

const unfinished: readonly JobState[] = ["open", "running", "waiting"];

/** For a parent whose own work is done, how many of its children are finished. */
function progressOf({ state, progress }: Job, children: Children | null) {
  const counts = Object.entries(children ?? {}) as [JobState, number][];
  if (counts.length === 0 || state === "running" || state === "open") return progress;
  const sum = (some: typeof counts) => some.reduce((total, [, count]) => total + count, 0);
  return { done: sum(counts.filter(([one]) => !unfinished.includes(one))), total: sum(counts) };
}
