import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { type QueuePause, queuePauses } from "../../engine/index.ts";

/** A pause, and the e-mail of the user who set it; null when that is unknown. */
export interface NamedPause extends QueuePause {
  byEmail: string | null;
}

/** The paused queues, and who paused them. */
export async function listPauses(tx: EntityManager): Promise<NamedPause[]> {
  const pauses = await queuePauses.list(tx);
  const found = await users.findByIds(
    tx,
    pauses.flatMap(({ by }) => by ?? []),
  );
  const emails = new Map(found.flatMap((user) => (user ? [[user.id, user.email]] : [])));
  return pauses.map((pause) => ({ ...pause, byEmail: emails.get(String(pause.by)) ?? null }));
}
