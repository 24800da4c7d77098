import { createHash } from "node:crypto";
import { type Job, jobQueries } from "../../../engine/index.ts";
import { TooManyRequestsError } from "../../../errors.ts";
import { onAbort } from "../../../platform/abort.ts";
import { heartbeatMs } from "../../http/right-watch.ts";
import type { Actor, ApiContext } from "../../http/types.ts";
import { jobView } from "../../views/job.ts";
import { jobWatch } from "./job-watch.ts";

/** Interval of counting children: a newsletter has fifty thousand. */
const countMs = 2_000;
const streamsPerUser = 20;
const streamsPerProcess = 1_000;
const retryMs = 2_000;

const open = new Map<string, number>();

/**
 * The changes of a job as server-sent events, until it is over or `aborted` fires; then there is no `end`, and the next
 * request of the caller is refused if the right was lost. Each event is the whole job, and its id identifies this
 * state: a client that reconnects with `Last-Event-ID`, to any process, gets nothing twice and misses no end. Throws
 * `TooManyRequestsError` when this user, or the process, has too many streams.
 */
export function jobEvents(
  context: ApiContext,
  job: Job,
  actor: Actor,
  lastId: string | undefined,
  aborted: AbortSignal,
) {
  const own = open.get(actor.id) ?? 0;
  const all = [...open.values()].reduce((sum, count) => sum + count, 0);
  if (own >= streamsPerUser || all >= streamsPerProcess) {
    throw new TooManyRequestsError(`${own} streams of events are open already; close one of them`, retryMs / 1_000);
  }
  open.set(actor.id, own + 1);
  // Not at the end of the stream: for a caller who has left already it never begins.
  onAbort(aborted, () => release(actor));
  return streamOf(context, job, actor, lastId, aborted);
}

function release({ id }: Actor) {
  const left = (open.get(id) ?? 1) - 1;
  if (left > 0) open.set(id, left);
  else open.delete(id);
}

async function* streamOf(
  context: ApiContext,
  job: Job,
  actor: Actor,
  lastId: string | undefined,
  aborted: AbortSignal,
): AsyncGenerator<string> {
  let known = lastId;
  let saidAt = Date.now();
  yield `retry: ${retryMs}\n\n`;
  for await (const data of statesOf(context, job, actor, aborted)) {
    const id = createHash("sha256").update(data).digest("base64url").slice(0, 22);
    const isLate = Date.now() - saidAt > heartbeatMs;
    if (id !== known) yield `id: ${id}\nevent: job\ndata: ${data}\n\n`;
    else if (isLate) yield ": still there\n\n";
    if (id !== known || isLate) saidAt = Date.now();
    known = id;
  }
  if (!aborted.aborted) yield "event: end\ndata: {}\n\n";
}

/** A job as JSON, repeatedly, until it is over or deleted, or the caller has left. */
async function* statesOf({ db }: ApiContext, first: Job, actor: Actor, aborted: AbortSignal): AsyncGenerator<string> {
  let children = await jobQueries.children(db.manager, first.id);
  let countedAt = Date.now();
  for (let job: Job | null = first; job && !aborted.aborted; job = await jobWatch(db).next(first.id, false)) {
    const isOver = job.finishedAt !== null;
    if (isOver || Date.now() - countedAt > countMs) {
      children = await jobQueries.children(db.manager, job.id);
      countedAt = Date.now();
    }
    yield JSON.stringify(jobView(job, children, actor.role !== "USER"));
    if (isOver) return;
  }
}
