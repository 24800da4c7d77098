import type { Request, Response } from "express";
import type { NewAuditEntry } from "../db/dao/audit-log.ts";
import type { Log } from "../platform/logger.ts";
import { recordAudit } from "../services/audit.ts";
import { isStaff } from "./access.ts";
import type { Actor, ApiContext } from "./context.ts";
import type { Result } from "./define-route.ts";
import { statusOfError } from "./problem.ts";

/**
 * Does what a request asks for and enters it in the audit log, with its outcome, when staff tries to change something.
 * A repetition that was answered from memory is not entered: it changed nothing, and the first one is there.
 */
export async function auditStaff(
  context: ApiContext,
  req: Request,
  res: Response,
  actor: Actor | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!isStaff(actor) || ["GET", "HEAD"].includes(req.method)) return work();
  const result = await work().catch(async (error: unknown) => {
    await audit(context, req, res, actor, statusOfError(error));
    throw error;
  });
  if (!result.headers?.["idempotency-replayed"]) await audit(context, req, res, actor, result.status);
  return result;
}

/** A lost audit row must not make a done change look undone to the caller: it is an error in the log instead. */
async function audit(context: ApiContext, req: Request, res: Response, actor: Actor, status: number) {
  const { requestId, payload = null } = res.locals as { requestId: string; payload?: unknown };
  const endpoint = context.publicUrl + asUri(withoutSecrets(req.originalUrl));
  const entry = { userId: actor.id, method: req.method, endpoint, payload, status, requestId };
  await recordAudit(context.db.manager, entry).catch((error: unknown) => {
    logLostAudit(context.log, error, entry, res.locals.route);
  });
}

/** Says which row of the audit log is missing, by route: its address may name a person. */
export function logLostAudit(
  log: Log,
  error: unknown,
  { userId, method, status, requestId }: Omit<NewAuditEntry, "endpoint" | "payload">,
  route = "other",
) {
  log.error({ err: error, audit: { userId, method, route, status, requestId } }, "audit row lost");
}

/** What a URI cannot have stands encoded: Node takes brackets, quotes and single percent signs as they come. */
function asUri(path: string) {
  return path.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/?%]/gi, (character) => encodeURIComponent(character));
}

const secretName = /token|secret|password|api.?key/i;

/** Nobody should send a secret in an address, but somebody will. */
function withoutSecrets(url: string) {
  const [path, ...rest] = url.slice(0, 4_000).split("?");
  if (rest.length === 0) return path ?? "";
  const pairs = rest.join("?").split("&");
  // Pair by pair: one expression over the whole address takes minutes for one that is made for it.
  const shown = pairs.map((pair) => {
    const [name = ""] = pair.split("=", 1);
    return secretName.test(name) && pair.length > name.length ? `${name}=***` : pair;
  });
  return `${path}?${shown.join("&")}`;
}
