import pg from "pg";

/** Settings that a client behind a pooler makes for each transaction, by their names in Postgres. */
export type TransactionSettings = Readonly<Record<string, string | number>>;

/**
 * A client for poolers that give a server connection to a transaction and not to a client, such as PgBouncer in
 * transaction mode. It leaves nothing behind in the session: statements have no names, and settings are local to the
 * transaction. They travel with its first statement, so that no round trip is added: a statement on its own is preceded
 * by them up to the same Sync, which makes the two one transaction
 * (https://www.postgresql.org/docs/current/protocol-flow.html, "Pipelining"). So it cannot be several statements in one
 * text, or one that no transaction may contain.
 */
export class PooledClient extends pg.Client {
  readonly #settings: SettingsSql;

  constructor({ transaction = {}, ...options }: pg.ClientConfig & { transaction?: TransactionSettings }) {
    super(options);
    this.#settings = sqlOf(transaction);
  }

  // The driver takes a statement in many ways; TypeORM, the pool and this code use these.
  override query(statement: string | pg.QueryConfig, values?: unknown, callback?: unknown): never {
    const done = [values, callback].find((one): one is Callback => typeof one === "function");
    const query = new PooledQuery(this, this.#settings, statement, Array.isArray(values) ? values : undefined);
    if (done) return this.#send(query, done) as never;
    return new Promise((resolve, reject) => {
      this.#send(query, (error, result) => (error ? reject(error) : resolve(result)));
    }) as never;
  }

  #send(query: PooledQuery, done: Callback) {
    query.callback = done;
    super.query(query);
  }
}

type Callback = (error: Error | null, result?: unknown) => void;

interface SettingsSql {
  /** Before a statement that is a transaction by itself; empty where nothing is set. */
  before: string;
  /** After the statement that begins a transaction. */
  afterBegin: string;
}

function sqlOf(settings: TransactionSettings): SettingsSql {
  const all = Object.entries(settings);
  // SET LOCAL outside of BEGIN and COMMIT makes the server warn. Nothing is idle in a transaction of one statement.
  const calls = all.filter(([name]) => !name.startsWith("idle_")).map(([name, value]) => setConfig(name, value));
  return {
    before: calls.length > 0 ? `SELECT ${calls.join(", ")}` : "",
    // SET takes no snapshot, after which the isolation level could not be set any more.
    afterBegin: all.map(([name, value]) => `; SET LOCAL ${name} = '${value}'`).join(""),
  };
}

const setConfig = (name: string, value: string | number) => `set_config('${name}', '${value}', true)`;

/** The parts of the driver's query that its types leave out (pg/lib/query.js). */
interface DriverQuery extends pg.Submittable {
  text: unknown;
  values: unknown;
  name: string | undefined;
  queryMode: string | undefined;
  callback: Callback;
  handleDataRow(row: unknown): void;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
}
const DriverQuery = pg.Query as unknown as new (statement: string | pg.QueryConfig, values?: unknown[]) => DriverQuery;

const begins = /^\s*(BEGIN|START\s+TRANSACTION)\s*$/i;

class PooledQuery extends DriverQuery {
  readonly #client: pg.Client;
  readonly #settings: SettingsSql;
  /** The server is still answering about the settings. */
  #isLeading = false;

  constructor(client: pg.Client, settings: SettingsSql, statement: string | pg.QueryConfig, values?: unknown[]) {
    super(statement, values);
    this.#client = client;
    this.#settings = settings;
    this.name = undefined;
  }

  override submit = (connection: pg.Connection) => this.#submit(connection);

  #submit(connection: pg.Connection) {
    const submit = () => DriverQuery.prototype.submit.call(this, connection);
    if (this.#client.getTransactionStatus() !== "I" || !this.#isWellFormed()) return submit();
    if (begins.test(String(this.text))) {
      this.text += this.#settings.afterBegin;
      return submit();
    }
    if (this.#settings.before === "") return submit();
    this.queryMode = "extended";
    this.#isLeading = true;
    connection.stream.cork();
    connection.parse({ name: "", text: this.#settings.before, types: [] }, true);
    connection.bind({}, true);
    connection.execute({}, true);
    submit();
    connection.stream.uncork();
  }

  /** Otherwise the driver sends nothing and reports an error. */
  #isWellFormed() {
    return typeof this.text === "string" && (!this.values || Array.isArray(this.values));
  }

  override handleDataRow(row: unknown) {
    if (!this.#isLeading) super.handleDataRow(row);
  }

  override handleCommandComplete(message: unknown, connection: pg.Connection) {
    if (!this.#isLeading) return super.handleCommandComplete(message, connection);
    this.#isLeading = false;
  }
}
