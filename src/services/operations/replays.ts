import type { EntityManager } from "typeorm";
import { enqueue, jobQueries, type PayloadOf } from "../../engine/index.ts";
import { replayJobs } from "../../jobs/replay-jobs.ts";
import { waitForLockOn } from "../../platform/postgres/locks.ts";
import { demand, type Operator, strictest } from "./job-rights.ts";

export type ReplayFilter = PayloadOf<typeof replayJobs>["filter"];

/**
 * Enqueues a replay of the unsuccessful jobs until now; returns the id of its job. While a replay with the same filter
 * runs, returns that one. Throws `ForbiddenError` unless the operator may replay each of them, and `ReasonNeededError`.
 */
export async function requestReplay(
  tx: EntityManager,
  filter: ReplayFilter,
  limitPerMinute: number,
  operator: Operator,
): Promise<string> {
  // Of two concurrent calls the second one waits here, and then sees the job of the first.
  await waitForLockOn(tx, `replay ${JSON.stringify(filter)}`);
  const [now]: { at: Date }[] = await tx.query("SELECT clock_timestamp() AS at");
  const at = now?.at ?? new Date();
  const lines = await jobQueries.linesOfUnsuccessful(tx, filter, at, operator.id);
  // Of a named kind, also when it has no jobs now.
  demand("replay", strictest("replay", [...lines, { kind: filter.kind ?? "", isOwn: false }]), operator);
  const known = await jobQueries.unfinishedLike(tx, replayJobs.name, { filter });
  if (known) return known;
  const before = at.toISOString();
  return enqueue(tx, replayJobs, { filter, limitPerMinute, before });
}
