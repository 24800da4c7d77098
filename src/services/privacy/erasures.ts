import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { users } from "../../db/dao/accounts/users.ts";
import { auditLog, type ChainLink, type NewAuditEntry } from "../../db/dao/audit/audit-log.ts";
import { type Counts, type Erasure, erasures } from "../../db/dao/privacy/erasures.ts";
import { enqueue } from "../../engine/index.ts";
import { ConflictError, NotFoundError, ValidationError } from "../../errors.ts";
import { erasePerson } from "../../jobs/erase-person.ts";

export interface ErasureRequest {
  /** Why, without saying who: it is kept for ever. */
  reason: string;
  /** The admin who wants it. */
  requestedBy: string;
  /** Address of the request, as the audit log names it. */
  endpoint: string;
}

/**
 * Locks an account out and promises the job that erases what is stored about its owner; returns the job's id. While one
 * goes on it is that one; a later one finds what has come since. Throws `NotFoundError`, `ConflictError` for one's own
 * account, and `ValidationError` for a reason that names the person.
 */
export async function requestErasure(tx: EntityManager, userId: string, request: ErasureRequest): Promise<string> {
  if (userId === request.requestedBy)
    throw new ConflictError("An admin cannot erase their own account; ask another admin");
  const user = await users.lock(tx, userId);
  if (!user) throw new NotFoundError("User not found");
  checkReason(request.reason, [user.email, `${user.firstName} ${user.lastName}`, `${user.lastName} ${user.firstName}`]);
  await users.markErased(tx, userId);
  return promise(tx, { userId, address: user.email.toLowerCase() }, request);
}

/**
 * As `requestErasure`, for somebody without an account: of orders under this address, and mails to it, until now. Who
 * orders under the address later is a new person. Throws `ConflictError` when an account has the address.
 */
export async function requestGuestErasure(tx: EntityManager, email: string, request: ErasureRequest): Promise<string> {
  const address = email.toLowerCase();
  checkReason(request.reason, [address]);
  const [owner] = await users.ofAddress(tx, address);
  if (owner) {
    throw new ConflictError(`An account has this address; erase that one by POST /users/${owner.id}/erasure`);
  }
  return promise(tx, { userId: null, address }, request);
}

async function promise(tx: EntityManager, person: Pick<Erasure, "userId" | "address">, request: ErasureRequest) {
  const id = uuidv7();
  await erasures.insert(tx, { id, ...person, ...request });
  const erasure = await erasures.underWay(tx, person);
  if (!erasure) throw new Error(`Erasure '${id}' is not there although it was just entered`);
  const jobId = await enqueue(tx, erasePerson, { erasureId: erasure.id });
  await erasures.attachJob(tx, erasure.id, jobId);
  return jobId;
}

/** The reason outlives the person's data, so it says why, and not who. */
function checkReason(reason: string, names: readonly string[]) {
  const said = reason.toLowerCase();
  const isNamed = names.some((name) => name.trim().length > 2 && said.includes(name.trim().toLowerCase()));
  if (!isNamed && !said.includes("@") && !/\d(?:[\s()-]*\d){6}/.test(said)) return;
  const msg = "Value error, the reason is kept for ever: say why, without the person's name, address or number";
  throw new ValidationError([{ type: "value_error", loc: ["body", "reason"], msg, input: reason }]);
}

/** Erases the person's own rows; mails and documents that are on their way are cancelled. May be repeated. */
export async function beginErasure(tx: EntityManager, erasure: Erasure): Promise<void> {
  if (!erasure.begunAt) {
    await erasures.mark(tx, erasure);
    await erasures.addCounts(tx, erasure.id, await erasures.eraseRows(tx, erasure));
  }
  await erasures.cancelJobs(tx, erasure.id, "What is stored about its recipient is erased");
}

/** Takes what the audit log says of the person out of these rows; returns the link of the chain that says so, if any. */
export async function eraseAudited(
  tx: EntityManager,
  erasure: Erasure,
  ids: readonly string[],
  requestId: string,
): Promise<ChainLink | undefined> {
  const { erased, link } = await auditLog.eraseContent(tx, ids, summaryOf(erasure, requestId, {}));
  await erasures.addCounts(tx, erasure.id, { audit_log: erased });
  return link;
}

/** What an erasure has done, as its job and the audit log show it. */
export interface ErasureReport {
  erasure: string;
  user_id: string | null;
  erased: Counts;
}

/**
 * Ends an erasure: what requests that were under way have left behind goes too, whom it was about is forgotten, and the
 * audit log gets a link that says what was done and names nobody.
 */
export async function finishErasure(
  tx: EntityManager,
  { id, userId }: Erasure,
  requestId: string,
): Promise<{ report: ErasureReport; link: ChainLink }> {
  await erasures.addCounts(tx, id, await erasures.eraseRows(tx, { userId, address: null }));
  await erasures.finish(tx, id);
  const done = await erasures.find(tx, id);
  if (!done) throw new Error(`Erasure '${id}' is gone`);
  const report = { erasure: id, user_id: userId, erased: done.counts };
  const link = await auditLog.append(tx, summaryOf(done, requestId, { reason: done.reason, erased: done.counts }));
  return { report, link };
}

function summaryOf({ id, requestedBy, endpoint }: Erasure, requestId: string, more: object): NewAuditEntry {
  return {
    ...{ userId: requestedBy, method: "POST" as const, endpoint, status: 200, requestId },
    payload: { erasure: id, ...more },
  };
}
