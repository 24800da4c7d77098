import type { EntityManager } from "typeorm";
import { jobRows } from "../db/dao/jobs.ts";
import { enqueue } from "../db/outbox.ts";
import type { PayloadOf } from "../jobs/define-job.ts";
import { replayJobs } from "../jobs/replay-jobs.ts";
import { demand, type Steerer, strictest } from "./job-rights.ts";

export type ReplayFilter = PayloadOf<typeof replayJobs>["filter"];

/**
 * Promises a replay of what has ended badly until now; returns the id of its job. While a replay with the same filter
 * goes on, it is that one. Throws `ForbiddenError` unless the steerer might replay each of them, and `ReasonNeededError`.
 */
export async function requestReplay(
  tx: EntityManager,
  filter: ReplayFilter,
  limitPerMinute: number,
  steerer: Steerer,
): Promise<string> {
  // Of two at once the second one waits here, and then sees the job of the first.
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`replay ${JSON.stringify(filter)}`]);
  const [now]: { at: Date }[] = await tx.query("SELECT clock_timestamp() AS at");
  const at = now?.at ?? new Date();
  const lines = await jobRows.linesOfBadlyEnded(tx, filter, at, steerer.id);
  // Of a kind that was named, also when there is none of it just now.
  demand("replay", strictest("replay", [...lines, { kind: filter.kind ?? "", isOwn: false }]), steerer);
  const known = await jobRows.unfinishedLike(tx, replayJobs.name, { filter });
  if (known) return known;
  const before = at.toISOString();
  return enqueue(tx, replayJobs, { filter, limitPerMinute, before });
}
