import type { EntityManager } from "typeorm";
import { findRank, type Operator } from "../../../services/operations/job-rights.ts";
import type { Actor, ApiContext } from "../../http/types.ts";

/** The caller as an operator of jobs; reads the user only where that decides. */
export async function operatorOf(
  { operators }: Pick<ApiContext, "operators">,
  tx: EntityManager,
  actor: Actor,
  reason: string | null | undefined,
): Promise<Operator> {
  return { id: actor.id, rank: await findRank(tx, actor, operators), reason: reason ?? null };
}
