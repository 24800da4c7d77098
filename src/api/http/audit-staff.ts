import type { Request, Response } from "express";
import type { NewAuditEntry } from "../../db/dao/audit/audit-log.ts";
import type { Log } from "../../platform/logger.ts";
import { auditEndpoint, isAudited, recordAudit } from "../../services/audit/audit.ts";
import { isStaff } from "./access.ts";
import { statusOfError } from "./problem.ts";
import type { Actor, ApiContext, Result } from "./types.ts";

/**
 * Runs a request, and records it in the audit log with its outcome when staff tries to change something. A repetition
 * with a stored answer is not recorded: it changed nothing, and the first one is recorded.
 */
export async function auditStaff(
  context: ApiContext,
  req: Request,
  res: Response,
  actor: Actor | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const { method } = req;
  if (!isStaff(actor) || !isAudited(method)) return work();
  const enter = (status: number) => audit(context, req, res, { userId: actor.id, method, status });
  const result = await work().catch(async (error: unknown) => {
    await enter(statusOfError(error));
    throw error;
  });
  if (!result.headers?.["idempotency-replayed"]) await enter(result.status);
  return result;
}

/** A lost audit row must not make a committed change look failed to the caller: it is an error in the log instead. */
async function audit(
  context: ApiContext,
  req: Request,
  res: Response,
  done: Pick<NewAuditEntry, "userId" | "method" | "status">,
) {
  const { requestId, payload = null } = res.locals as { requestId: string; payload?: unknown };
  const endpoint = auditEndpoint(context.publicUrl, req.originalUrl);
  const entry = { ...done, endpoint, payload, requestId };
  await recordAudit(context.db.manager, entry).catch((error: unknown) => {
    logLostAudit(context.log, error, entry, res.locals.route);
  });
}

/** Logs which row of the audit log is missing, by route: its address may name a person. */
export function logLostAudit(
  log: Log,
  error: unknown,
  { userId, method, status, requestId }: Omit<NewAuditEntry, "endpoint" | "payload">,
  route = "other",
) {
  log.error({ err: error, audit: { userId, method, route, status, requestId } }, "audit row lost");
}
