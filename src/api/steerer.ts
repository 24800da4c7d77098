import type { EntityManager } from "typeorm";
import { findStanding, type Steerer } from "../services/job-rights.ts";
import type { Actor, ApiContext } from "./context.ts";

/** The caller as one who steers jobs; where it decides, one look at the user. */
export async function steererOf(
  { operators }: Pick<ApiContext, "operators">,
  tx: EntityManager,
  actor: Actor,
  reason: string | null | undefined,
): Promise<Steerer> {
  return { id: actor.id, standing: await findStanding(tx, actor, operators), reason: reason ?? null };
}
