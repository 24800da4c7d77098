import type { DataSource } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { type AppError, ForbiddenError, UnauthorizedError } from "../../errors.ts";
import type { Actor, RightWatch } from "./types.ts";

/** How often waiting callers are checked, and get a sign of life. */
export const heartbeatMs = 15_000;
/** Maximum of a timer of Node. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Checks waiting callers again: one statement at each heartbeat for all of this process, however many connections they
 * have. While Postgres is unavailable, no caller loses a right; tokens expire nevertheless.
 */
export function createRightWatch(db: DataSource, everyMs = heartbeatMs): RightWatch {
  const watched = new Map<Actor, (why: AppError) => void>();
  let timer: NodeJS.Timeout | undefined;

  const look = async () => {
    // A caller who arrives during the query is checked by the next one.
    const asked = [...watched];
    const ids = [...new Set(asked.map(([{ id }]) => id))];
    const rights = await users.rights(db.manager, ids).catch(() => undefined);
    if (rights) for (const [actor, lose] of asked) tell(actor, rights.get(actor.id), lose);
  };
  // One check after the other, also where Postgres is slow.
  const beat = () => {
    timer = setTimeout(async () => {
      await look();
      timer = undefined;
      if (watched.size > 0) beat();
    }, everyMs);
    timer.unref();
  };
  return {
    watch({ ...actor }) {
      const ending = new AbortController();
      const stop = () => {
        watched.delete(actor);
        clearTimeout(expiry);
      };
      const lose = (why: AppError) => {
        stop();
        ending.abort(why);
      };
      const leftMs = (actor.expiresAt ?? Number.POSITIVE_INFINITY) - Date.now();
      const expiry = leftMs < maxTimerMs ? setTimeout(() => lose(tokenExpired()), Math.max(0, leftMs)) : undefined;
      expiry?.unref();
      watched.set(actor, lose);
      if (!timer) beat();
      return { lost: ending.signal, stop };
    },
    count: () => watched.size,
  };
}

function tell(
  actor: Actor,
  now: (Pick<Actor, "role"> & { isActive: boolean }) | undefined,
  lose: (why: AppError) => void,
) {
  if (!now) lose(new UnauthorizedError("User not found"));
  else if (!now.isActive) lose(new ForbiddenError("Access denied: this account is deactivated."));
  else if (now.role !== actor.role)
    lose(new ForbiddenError(`Access denied: your role is ${now.role} now; send the request again.`));
}

/** The token was valid before, so it does not count as a failed login. */
const tokenExpired = () => new UnauthorizedError("Token expired", "Bearer", "missing");
