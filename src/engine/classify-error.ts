import { ZodError } from "zod";
import { AppError, InconclusiveError, PermanentError, UnavailableError } from "../errors.ts";
import { describeError } from "../platform/describe-error.ts";
import { isPostgresUnavailable } from "../platform/postgres/errors.ts";
import { isRedisUnavailable } from "../platform/redis-errors.ts";
import type { FailureCost, Release } from "./ledger.ts";

/** The job ran longer than its definition allows. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Attempts that a failed run costs: none for an outage of Postgres, Redis, the object store or the mail server, all for a bad payload or
 * input, else one. The client that threw it tells an outage, not a code such as `ECONNREFUSED`: a server that a
 * processor calls by itself may be gone for good.
 */
export function costOf(error: unknown): FailureCost {
  if (error instanceof UnavailableError || isPostgresUnavailable(error) || isRedisUnavailable(error)) return "none";
  return permanent.some((kind) => error instanceof kind) ? "all" : "one";
}

/** An inconclusive run is not repeated before a person decides so. */
const permanent = [PermanentError, ZodError, AppError, InconclusiveError];

/** How a run that threw this error ends. */
export function endOf(error: unknown): Release {
  const cost = costOf(error);
  const shown = describeError(error);
  const isUnknown = error instanceof InconclusiveError;
  const outcome = isUnknown ? "unknown" : cost === "none" ? "rescheduled" : "failed";
  return { outcome, cost, error: shown, errorKey: errorKeyOf(shown) };
}

const maxLength = 200;

/**
 * The common key of failures with one cause: name and message without ids, numbers, quoted values and addresses, at
 * most 200 characters. Equal keys make one row of `GET /jobs/failures`.
 */
export function errorKeyOf({ name, message }: { name: string; message: string }) {
  const text = message
    .slice(0, 2_000)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replace(/(?<!\S)\S+@\S+/g, "<address>")
    .replace(/'[^']*'|"[^"]*"|«[^«»]*»/g, "<value>")
    .replace(/\d+(?:[.,:]\d+)*/g, "<n>")
    .replace(/\s+/g, " ")
    .trim();
  return `${name}: ${text}`.slice(0, maxLength);
}
