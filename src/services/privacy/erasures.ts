import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { users } from "../../db/dao/accounts/users.ts";
import { auditLog, type ChainLink, type NewAuditEntry } from "../../db/dao/audit/audit-log.ts";
import { type Counts, type Erasure, erasures } from "../../db/dao/privacy/erasures.ts";
import { enqueue } from "../../engine/index.ts";
import { ConflictError, NotFoundError, ValidationError } from "../../errors.ts";
import { erasePerson } from "../../jobs/erase-person.ts";

export interface ErasureRequest {
  /** Why, without naming the person: it is stored without end. */
  reason: string;
  /** The admin who requests it. */
  requestedBy: string;
  /** URL of the request, as in the audit log. */
  endpoint: string;
}

/**
 * Disables an account and enqueues the job that erases the data of its owner; returns the job's id. While an erasure
 * runs, returns that one; a later one erases newer data. Throws `NotFoundError`, `ConflictError` for the admin's own
 * account and for one whose balance is not 0, and `ValidationError` for a reason that names the person.
 */
export async function requestErasure(tx: EntityManager, userId: string, request: ErasureRequest): Promise<string> {
  if (userId === request.requestedBy)
    throw new ConflictError("An admin cannot erase their own account; ask another admin");
  const user = await users.lock(tx, userId);
  if (!user) throw new NotFoundError("User not found");
  if (user.balanceRub !== 0)
    throw new ConflictError(
      `The account has a balance of '${user.balanceRub}' roubles, which would be lost; pay it out or correct it, and book that by POST /balance/adjust/${userId} before the erasure`,
    );
  checkReason(request.reason, [user.email, `${user.firstName} ${user.lastName}`, `${user.lastName} ${user.firstName}`]);
  await users.markErased(tx, userId);
  // What belongs to the address is then the other account's: the person signed up again.
  const address = (await users.otherOwner(tx, user)) === undefined ? user.email.toLowerCase() : null;
  return promise(tx, { userId, address }, request);
}

/**
 * As `requestErasure`, for a person without an account: of orders under this address, and mails to it, until now. Later
 * orders under the address count as a new person's. Throws `ConflictError` when an account has the address.
 */
export async function requestGuestErasure(tx: EntityManager, email: string, request: ErasureRequest): Promise<string> {
  const address = email.toLowerCase();
  checkReason(request.reason, [address]);
  const owner = await users.findByEmail(tx, address);
  if (owner) {
    throw new ConflictError(`An account has this address; erase that one by POST /users/${owner.id}/erasure`);
  }
  return promise(tx, { userId: null, address }, request);
}

async function promise(tx: EntityManager, person: Pick<Erasure, "userId" | "address">, request: ErasureRequest) {
  const id = uuidv7();
  await erasures.insert(tx, { id, ...person, ...request });
  const erasure = await erasures.underWay(tx, person);
  if (!erasure) throw new Error(`Erasure '${id}' is missing although it was just inserted`);
  const jobId = await enqueue(tx, erasePerson, { erasureId: erasure.id });
  await erasures.attachJob(tx, erasure.id, jobId);
  return jobId;
}

/** The reason outlives the person's data, so it must not name the person. */
function checkReason(reason: string, names: readonly string[]) {
  const said = reason.toLowerCase();
  const isNamed = names.some((name) => name.trim().length > 2 && said.includes(name.trim().toLowerCase()));
  if (!isNamed && !said.includes("@") && !/\d(?:[\s()-]*\d){6}/.test(said)) return;
  const msg = "Value error, the reason is kept for ever: say why, without the person's name, address or number";
  throw new ValidationError([{ type: "value_error", loc: ["body", "reason"], msg, input: reason }]);
}

/** Erases the person's own rows, and cancels mails and documents in the making. May be repeated. */
export async function beginErasure(tx: EntityManager, erasure: Erasure): Promise<void> {
  if (!erasure.begunAt) {
    await erasures.mark(tx, erasure);
    await erasures.addCounts(tx, erasure.id, await erasures.eraseRows(tx, erasure));
  }
  await erasures.cancelJobs(tx, erasure.id, "What is stored about its recipient is erased");
}

/** Erases the person's data in these rows of the audit log; returns the link of the chain that records it, if any. */
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

/** The result of an erasure, for its job and the audit log. */
export interface ErasureReport {
  erasure: string;
  user_id: string | null;
  erased: Counts;
}

/**
 * Ends an erasure: erases what concurrent requests have left, deletes whom it was about, and adds a link to the audit
 * log that says what was done without naming the person.
 */
export async function finishErasure(
  tx: EntityManager,
  { id, userId }: Erasure,
  requestId: string,
): Promise<{ report: ErasureReport; link: ChainLink }> {
  await erasures.addCounts(tx, id, await erasures.eraseRows(tx, { userId, address: null }));
  await erasures.finish(tx, id);
  const done = await erasures.find(tx, id);
  if (!done) throw new Error(`Erasure '${id}' does not exist any more`);
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
