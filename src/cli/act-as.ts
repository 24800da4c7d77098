import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { users } from "../db/dao/accounts/users.ts";
import { AppError, ConflictError, ForbiddenError, NotFoundError, ReasonNeededError } from "../errors.ts";
import { appendAudit, auditEndpoint } from "../services/audit/audit.ts";
import { type Operator, standingOf } from "../services/operations/job-rights.ts";
import { type CommandContext, text, UsageError, type Values } from "./command.ts";

/** Of each command that changes something; `--as` is known to all commands. */
export const reasonOption = { reason: { type: "string" } } as const;

/** What is done, for the audit log. */
export interface Deed {
  /** Where REST would do it: `jobs/<id>/cancel`. */
  path: string;
  /** What it was called with. */
  input?: Record<string, unknown>;
}

/**
 * Does something on behalf of the member of staff whom `--as` names, in one transaction with its row of the audit log: what
 * cannot be entered there is not done. What is refused is entered, too. Throws `UsageError` without a name or, where one is
 * needed, a reason, and `ForbiddenError` to those who may not.
 */
export async function actAs<T>(
  context: CommandContext,
  values: Values,
  { path, input = {} }: Deed,
  work: (tx: EntityManager, operator: Operator) => Promise<T>,
): Promise<T> {
  const operator = await operatorOf(context, values);
  const requestId = randomUUID();
  const payload = {
    tool: "tcf",
    caller: context.caller,
    ...input,
    ...(operator.reason && { reason: operator.reason }),
  };
  const entry = {
    userId: operator.id,
    method: "POST",
    endpoint: auditEndpoint("tcf://cli/", path),
    payload,
    requestId,
  } as const;
  const origin = { actorId: operator.id, traceId: requestId };
  try {
    return await context.transact(async (tx) => {
      const result = await work(tx, operator);
      await appendAudit(tx, { ...entry, status: 200 });
      return result;
    }, origin);
  } catch (error) {
    await context.transact((tx) => appendAudit(tx, { ...entry, status: statusOf(error) }), origin);
    throw error instanceof ReasonNeededError ? new UsageError('Say why: --reason "…"; others will read it') : error;
  }
}

async function operatorOf({ transact, operators, caller }: CommandContext, values: Values): Promise<Operator> {
  const email = text(values.as)?.trim();
  if (!email) throw new UsageError("Say who you are: --as <your e-mail address>; it is entered in the audit log");
  const user = await transact((tx) => users.findByEmail(tx, email));
  if (!user) throw new NotFoundError(`There is no user with the address '${email}'`);
  const standing = standingOf(user, operators());
  if (!user.isActive || standing === "customer")
    throw new ForbiddenError(`'${email}' is ${user.isActive ? "a customer" : "deactivated"}: only staff steers jobs`);
  const reason = text(values.reason)?.trim();
  return { id: user.id, standing, reason: reason ? `${reason} (tcf: ${caller})`.slice(0, 300) : null };
}

/** As the same refusal over REST. */
function statusOf(error: unknown) {
  if (error instanceof ForbiddenError) return 403;
  if (error instanceof NotFoundError) return 404;
  if (error instanceof ConflictError) return 409;
  return error instanceof AppError || error instanceof UsageError ? 422 : 500;
}
