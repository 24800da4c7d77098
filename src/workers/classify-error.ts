import { ZodError } from "zod";
import { errorKeyOf } from "../db/error-key.ts";
import type { FailureCost, Release } from "../db/ledger.ts";
import { isPostgresUnavailable } from "../db/postgres-errors.ts";
import { AppError, UnavailableError } from "../errors.ts";
import { describeError } from "../platform/describe-error.ts";
import { BadRecipientError, RefusedMailError, UncertainMailError } from "../platform/mailer.ts";

/** A failure of a job that no repetition can mend; its message is read by people. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
}

/** The job ran longer than its definition allows. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** What a failed run costs: an outage of what we depend on nothing, a broken payload or input everything, the rest one. */
export function costOf(error: unknown): FailureCost {
  if (error instanceof UnavailableError || isPostgresUnavailable(error)) return "none";
  return permanent.some((kind) => error instanceof kind) ? "all" : "one";
}

/** A mail of which nobody knows whether it was sent is not sent again before a person says so. */
const permanent = [PermanentError, ZodError, AppError, BadRecipientError, RefusedMailError, UncertainMailError];

/** How a run ends that threw this. */
export function endOf(error: unknown): Release {
  const cost = costOf(error);
  const shown = describeError(error);
  const isUnknown = error instanceof UncertainMailError;
  const outcome = isUnknown ? "unknown" : cost === "none" ? "postponed" : "failed";
  return { outcome, cost, error: shown, errorKey: errorKeyOf(shown) };
}
