import { ZodError } from "zod";
import { AppError, InconclusiveError, PermanentError, UnavailableError } from "../errors.ts";
import { describeError } from "../platform/describe-error.ts";
import { isPostgresUnavailable } from "../platform/postgres/errors.ts";
import { errorKeyOf } from "./error-key.ts";
import type { FailureCost, Release } from "./ledger.ts";

/** The job ran longer than its definition allows. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** What a failed run costs: an outage of what we depend on nothing, a broken payload or input everything, the rest one. */
export function costOf(error: unknown): FailureCost {
  if (error instanceof UnavailableError || isPostgresUnavailable(error)) return "none";
  return permanent.some((kind) => error instanceof kind) ? "all" : "one";
}

/** What is inconclusive is not repeated before a person says so. */
const permanent = [PermanentError, ZodError, AppError, InconclusiveError];

/** How a run ends that threw this. */
export function endOf(error: unknown): Release {
  const cost = costOf(error);
  const shown = describeError(error);
  const isUnknown = error instanceof InconclusiveError;
  const outcome = isUnknown ? "unknown" : cost === "none" ? "rescheduled" : "failed";
  return { outcome, cost, error: shown, errorKey: errorKeyOf(shown) };
}
