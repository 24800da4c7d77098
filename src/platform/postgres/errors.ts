import pg from "pg";
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

type Connected = Parameters<Parameters<pg.Pool["connect"]>[0]>;

/** A pool whose errors are known to be those of Postgres. */
export class PostgresPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(done: (...connected: Connected) => void): void;
  override connect(done?: (...connected: Connected) => void) {
    if (!done) return super.connect().catch((error: unknown) => Promise.reject(fromPostgres(error)));
    return super.connect((error, client, release) => done(fromPostgres(error), client, release));
  }
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

/**
 * True when Postgres is unavailable, overloaded or stuck, rather than the statement wrong: connection errors,
 * SQLSTATE classes 08 (connection), 53 (resources), 57 (operator intervention, time-outs) and 55P03 (lock time-out).
 * False for the same codes of any other server.
 */
export function isPostgresUnavailable(error: unknown) {
  const thrown =
    (error as { driverError?: unknown } | null)?.driverError ?? (isFromPostgres(error) ? error : undefined);
  if (!(thrown instanceof Error)) return false;
  const { code = "" } = thrown as PostgresError;
  if (isNetworkError(thrown) || /^(08|53|57)/.test(code) || code === "55P03" || isTlsFault(thrown)) return true;
  return /Query read timeout|Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
    thrown.message,
  );
}

/** As `tlsFault`, for what the client of Postgres threw: no wait mends it. */
export function postgresTlsFault(error: unknown, host: string) {
  return tlsFault((error as { driverError?: unknown } | null)?.driverError ?? error, host);
}
