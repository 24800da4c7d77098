import type { Request, Response } from "express";
import type { AuditMethod } from "../../db/entities/audit/audit-entry.ts";
import { onAbort } from "../../platform/abort.ts";
import { auditEndpoint, recordChained } from "../../services/audit/audit.ts";
import { logLostAudit } from "../http/audit-staff.ts";
import type { ApiContext } from "../http/types.ts";
import type { Pressing } from "./board-actions.ts";

export interface Audited {
  context: Pick<ApiContext, "transact" | "publicUrl" | "log" | "stopping">;
  pressing: Pressing;
  method: AuditMethod;
  /** Where the board is served. */
  route: string;
  /** How long to wait for the answer to a visitor who has hung up. */
  patienceMs?: number;
}

/**
 * Records an act of the board in the audit chain when it is answered, with the status of the answer, even if the
 * visitor has hung up. An act without an answer long after that, or when the process stops, is recorded with 499; if
 * its answer comes later, that is recorded as well.
 */
export function auditWhenDone(
  req: Request,
  res: Response,
  { context, pressing, method, route, patienceMs = 60_000 }: Audited,
) {
  const endpoint = auditEndpoint(context.publicUrl, req.originalUrl);
  const enter = (status: number) => {
    const { operator, traceId: requestId } = pressing;
    const { id: userId } = operator;
    const reason = operator.reason ?? pressing.done;
    const { csrf: _csrf, ...body } = (req.body ?? {}) as Record<string, unknown>;
    const payload = { ...body, ...(reason && { reason }) };
    const entry = { userId, method, endpoint, payload, status, requestId };
    recordChained(context.transact, entry)
      .then((link) => context.log.info({ audit: link }, "a board action was entered into the audit chain"))
      .catch((error: unknown) => {
        logLostAudit(context.log, error, entry, route);
      });
  };
  // Neither `finish` nor `close` will do: the one never comes on a dead connection, the other comes before the outcome.
  let isAnswered = false;
  let stopWaiting = () => {};
  const end = res.end.bind(res) as (...parts: unknown[]) => Response;
  res.end = ((...parts: unknown[]) => {
    stopWaiting();
    if (!isAnswered) enter(res.statusCode);
    isAnswered = true;
    return end(...parts);
  }) as Response["end"];
  res.once("close", () => {
    if (isAnswered) return;
    const giveUp = () => {
      stopWaiting();
      enter(499);
    };
    const timer = setTimeout(giveUp, patienceMs).unref();
    stopWaiting = () => clearTimeout(timer);
    const forget = onAbort(context.stopping, giveUp);
    stopWaiting = () => {
      clearTimeout(timer);
      forget();
    };
  });
}
