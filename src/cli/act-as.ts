import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { users } from "../db/dao/accounts/users.ts";
import { AppError, ConflictError, ForbiddenError, NotFoundError, ReasonNeededError } from "../errors.ts";
import { appendAudit, auditEndpoint } from "../services/audit/audit.ts";
import { type Operator, rankOf } from "../services/operations/job-rights.ts";
import { type CommandContext, text, UsageError, type Values } from "./command.ts";

/** The option of each command that changes something; all commands accept `--as`. */
export const reasonOption = { reason: { type: "string" } } as const;

/** The act, for the audit log. */
export interface Deed {
  /** The path of the same act over REST: `jobs/<id>/cancel`. */
  path: string;
  /** Its arguments. */
  input?: Record<string, unknown>;
}

/**
 * Acts on behalf of the member of staff whom `--as` names, in one transaction with its row of the audit log: an act
 * that cannot be recorded there is not done. Refused acts are recorded, too. Throws `UsageError` without a name or,
 * where one is needed, a reason, and `ForbiddenError` without the right.
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
  const transactionContext = { actorId: operator.id, traceId: requestId };
  try {
    return await context.transact(async (tx) => {
      const result = await work(tx, operator);
      await appendAudit(tx, { ...entry, status: 200 });
      return result;
    }, transactionContext);
  } catch (error) {
    await context.transact((tx) => appendAudit(tx, { ...entry, status: statusOf(error) }), transactionContext);
    throw error instanceof ReasonNeededError
      ? new UsageError('Give a reason: --reason "…"; others will read it')
      : error;
  }
}

async function operatorOf({ transact, operators, caller }: CommandContext, values: Values): Promise<Operator> {
  const email = text(values.as)?.trim();
  if (!email) throw new UsageError("Say who you are: --as <your e-mail address>; the audit log records it");
  const user = await transact((tx) => users.findByEmail(tx, email));
  if (!user) throw new NotFoundError(`There is no user with the address '${email}'`);
  const rank = rankOf(user, operators());
  if (!user.isActive || rank === "customer")
    throw new ForbiddenError(`'${email}' is ${user.isActive ? "a customer" : "deactivated"}: only staff controls jobs`);
  const reason = text(values.reason)?.trim();
  return { id: user.id, rank, reason: reason ? `${reason} (tcf: ${caller})`.slice(0, 300) : null };
}

/** As the same refusal over REST. */
function statusOf(error: unknown) {
  if (error instanceof ForbiddenError) return 403;
  if (error instanceof NotFoundError) return 404;
  if (error instanceof ConflictError) return 409;
  return error instanceof AppError || error instanceof UsageError ? 422 : 500;
}
