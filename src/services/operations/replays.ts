import type { EntityManager } from "typeorm";
import { enqueue, jobQueries, type PayloadOf } from "../../engine/index.ts";
import { replayJobs } from "../../jobs/replay-jobs.ts";
import { waitForLockOn } from "../../platform/postgres/locks.ts";
import { demand, type Operator, strictest } from "./job-rights.ts";

export type ReplayFilter = PayloadOf<typeof replayJobs>["filter"];

/**
 * Promises a replay of what has ended badly until now; returns the id of its job. While a replay with the same filter
 * goes on, it is that one. Throws `ForbiddenError` unless the operator might replay each of them, and `ReasonNeededError`.
 */
export async function requestReplay(
  tx: EntityManager,
  filter: ReplayFilter,
  limitPerMinute: number,
  operator: Operator,
): Promise<string> {
  // Of two at once the second one waits here, and then sees the job of the first.
  await waitForLockOn(tx, `replay ${JSON.stringify(filter)}`);
  const [now]: { at: Date }[] = await tx.query("SELECT clock_timestamp() AS at");
  const at = now?.at ?? new Date();
  const lines = await jobQueries.linesOfUnsuccessful(tx, filter, at, operator.id);
  // Of a kind that was named, also when there is none of it just now.
  demand("replay", strictest("replay", [...lines, { kind: filter.kind ?? "", isOwn: false }]), operator);
  const known = await jobQueries.unfinishedLike(tx, replayJobs.name, { filter });
  if (known) return known;
  const before = at.toISOString();
  return enqueue(tx, replayJobs, { filter, limitPerMinute, before });
}
