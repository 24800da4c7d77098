import pg from "pg";
import { isNetworkError } from "../../errors.ts";
import { type PostgresAddress, parsePostgresUrl } from "./address.ts";
import { fromPostgres, ReadOnlyServerError } from "./errors.ts";
import { PooledClient, type TransactionSettings } from "./pooled-client.ts";

/** Time-outs of Postgres by their names there, in milliseconds. */
export interface Timeouts {
  statement_timeout?: number;
  lock_timeout?: number;
  idle_in_transaction_session_timeout?: number;
}

export interface PostgresPoolOptions extends Omit<pg.PoolConfig, keyof Timeouts> {
  timeouts?: Timeouts;
  /** Settings of the planner, by their names in Postgres. */
  planner?: Readonly<Record<string, string>>;
  /** True behind a pooler in transaction mode: nothing is kept in the session. */
  isPooled?: boolean;
}

type Connected = Parameters<Parameters<pg.Pool["connect"]>[0]>;

/**
 * Connections to the servers of one URL. Errors of a pool are known to be those of Postgres; where the URL has several
 * servers, a connection is made to the first in turn that can be used. A connection whose server has refused a write,
 * because it is a standby now, is closed instead of used again.
 */
export class PostgresPool extends pg.Pool {
  readonly #servers: Servers;
  readonly #readOnly = new WeakSet<pg.PoolClient>();

  /** Throws as `parsePostgresUrl`. */
  constructor({ connectionString = "", timeouts = {}, planner = {}, isPooled, ...options }: PostgresPoolOptions) {
    const address = parsePostgresUrl(connectionString);
    const servers = new Servers(address);
    const settings = isPooled
      ? { transaction: { ...timeouts, ...planner } }
      : { ...timeouts, options: optionsOf(address, planner) };
    const config: pg.PoolConfig & Pick<ClientOptions, "servers" | "transaction"> = {
      ...options,
      ...settings,
      ...(address.connectSeconds && { connectionTimeoutMillis: address.connectSeconds * 1_000 }),
      ...(address.applicationName && { application_name: address.applicationName }),
      enableChannelBinding: address.usesChannelBinding,
      ...(address.mustTakeWrites && { onConnect: (client: pg.ClientBase) => refuseReadOnly(client as pg.Client) }),
      servers,
      Client: isPooled ? ServerClient(PooledClient) : ServerClient(pg.Client),
    };
    super(config);
    this.#servers = servers;
    this.on("connect", (client) => {
      client.connection.on("errorMessage", ({ code }: { code?: string }) => {
        if (code === "25006") this.#readOnly.add(client);
      });
    });
    this.on("release", (_error, client) => {
      if (this.#readOnly.has(client)) void client.end();
    });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(done: (...connected: Connected) => void): void;
  override connect(done?: (...connected: Connected) => void) {
    if (done) return this.#attempt(this.#servers.count, done);
    return new Promise<pg.PoolClient>((resolve, reject) => {
      this.#attempt(this.#servers.count, (error, client) => (client ? resolve(client) : reject(error)));
    });
  }

  #attempt(left: number, done: (...connected: Connected) => void): void {
    const server = this.#servers.current;
    super.connect((error, client, release) => {
      if (!error || left <= 1 || !isServerAtFault(error)) return done(fromPostgres(error), client, release);
      this.#servers.passOver(server);
      this.#attempt(left - 1, done);
    });
  }
}

/** The servers of an address; a new connection goes to the one that was used last. */
class Servers {
  readonly #urls: readonly [string, ...string[]];
  #at = 0;
  constructor({ urls }: PostgresAddress) {
    this.#urls = urls;
  }
  get count() {
    return this.#urls.length;
  }
  get current(): string {
    return this.#urls[this.#at] ?? this.#urls[0];
  }
  /** Goes to the next server, unless another connection has already done so. */
  passOver(url: string) {
    if (url === this.current) this.#at = (this.#at + 1) % this.count;
  }
}

interface ClientOptions extends pg.ClientConfig {
  servers: Servers;
  transaction?: TransactionSettings;
}

/** A client of the server whose turn it is. */
function ServerClient(Base: new (options: ClientOptions) => pg.Client) {
  return class extends Base {
    constructor(options: ClientOptions) {
      super({ ...options, connectionString: options.servers.current });
    }
  } as unknown as new () => pg.Client;
}

/** With these the server starts a session, which costs no round trip. */
function optionsOf({ options }: PostgresAddress, planner: Readonly<Record<string, string>>) {
  const own = Object.entries(planner).map(([name, value]) => `-c ${name}=${value}`);
  return [options ?? "", ...own].filter(Boolean).join(" ") || undefined;
}

/** `transaction_read_only` is on in a standby, and where the server or the role was made read-only. */
async function refuseReadOnly(client: pg.Client) {
  const { rows } = await client.query("SELECT current_setting('transaction_read_only') = 'on' AS refuses");
  if (rows[0]?.refuses) throw new ReadOnlyServerError(`'${client.host}:${client.port}' takes no writes`);
}

/** True where another server may do: this one is unreachable, starting, full or read-only; false for a wrong login. */
function isServerAtFault(error: Error) {
  if (error.message.includes("timeout exceeded when trying to connect")) return false;
  const { code = "" } = error as { code?: string };
  return isNetworkError(error) || !(error instanceof pg.DatabaseError) || /^(08|53|57)/.test(code);
}
