import pg from "pg";

const known = new WeakSet<object>();

/** Remembers that the client of Postgres threw this error, and returns it. */
export function fromPostgres<Thrown>(error: Thrown): Thrown {
  if (error instanceof Error) known.add(error);
  return error;
}

/** True when the client of Postgres threw this error: codes such as `ECONNREFUSED` do not tell one server from another. */
export function isFromPostgres(error: unknown) {
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
