import pg from "pg";
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from "typeorm";
import { isNetworkError } from "../../errors.ts";
import { isTlsFault, tlsFault } from "../tls.ts";

const known = new WeakSet<object>();

/** Remembers that the client of Postgres threw this error, and returns it. */
export function fromPostgres<Thrown>(error: Thrown): Thrown {
  if (error instanceof Error) known.add(error);
  return error;
}

/** True when the client of Postgres threw this error: codes such as `ECONNREFUSED` do not tell one server from another. */
function isFromPostgres(error: unknown) {
  return error instanceof pg.DatabaseError || (error instanceof Error && known.has(error));
}

/** A server that takes no writes: a standby, or a primary that was made read-only (25006). */
export class ReadOnlyServerError extends Error {
  override readonly name = "ReadOnlyServerError";
  readonly code = "25006";
}

interface PostgresError {
  code?: string;
  constraint?: string;
}

function postgresError(error: unknown): PostgresError {
  const { driverError } = error as { driverError?: PostgresError };
  return driverError ?? (error as PostgresError) ?? {};
}

/** Name of the unique constraint that refused a value (SQLSTATE 23505); undefined for any other error. */
export function violatedUnique(error: unknown) {
  const { code, constraint } = postgresError(error);
  return code === "23505" ? (constraint ?? "") : undefined;
}

/** Name of the foreign key that refused a change (SQLSTATE 23503); undefined for any other error. */
export function violatedForeignKey(error: unknown) {
  const { code, constraint } = postgresError(error);
  return code === "23503" ? (constraint ?? "") : undefined;
}

/** True for a deadlock or a serialization failure (40P01, 40001): the whole transaction may be run again. */
export function isTransactionConflict(error: unknown) {
  return ["40P01", "40001"].includes(postgresError(error).code ?? "");
}

/** A statement to a standby or a server made read-only, a lock time-out, an error of the disk. */
const unavailable = ["25006", "55P03", "58030"];

/**
 * True when Postgres is unavailable, overloaded, stuck or failing over, rather than the statement wrong: connection
 * errors, SQLSTATE classes 08 (connection), 53 (resources), 57 (operator intervention, time-outs) and those above
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html). False for the same codes of any other server.
 */
export function isPostgresUnavailable(error: unknown) {
  if (isLostBetweenStatements(error)) return true;
  const thrown =
    (error as { driverError?: unknown } | null)?.driverError ?? (isFromPostgres(error) ? error : undefined);
  if (!(thrown instanceof Error)) return false;
  const { code = "" } = thrown as PostgresError;
  if (isNetworkError(thrown) || /^(08|53|57)/.test(code) || unavailable.includes(code) || isTlsFault(thrown))
    return true;
  return /Query read timeout|Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
    thrown.message,
  );
}

/** As `tlsFault`, for what the client of Postgres threw: no wait mends it. */
export function postgresTlsFault(error: unknown, host: string) {
  return tlsFault((error as { driverError?: unknown } | null)?.driverError ?? error, host);
}

/**
 * True for a statement of a transaction whose connection the server has ended since the one before: TypeORM has then
 * released it by itself, and says only that.
 */
function isLostBetweenStatements(error: unknown) {
  return error instanceof QueryRunnerAlreadyReleasedError || error instanceof QueryRunnerProviderAlreadyReleasedError;
}
