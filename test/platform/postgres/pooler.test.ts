import type { DataSource } from "typeorm";
import { afterAll, beforeAll, describe, expect, it, test, vi } from "vitest";
import { connectDatabase, createDataSource } from "../../../src/db/data-source.ts";
import { isPostgresUnavailable } from "../../../src/platform/postgres/errors.ts";
import { type KeyedPool, openKeyedPool, prepare, runPrepared } from "../../../src/platform/postgres/prepared.ts";
import { useDatabase } from "../../support/database.ts";
import { hasPgbouncer, usePgbouncer } from "../../support/pgbouncer.ts";

const direct = useDatabase();
/** Fewer connections to the server than clients, so that they change hands. */
const pooler = usePgbouncer({ default_pool_size: 2 });
const inSessionMode = usePgbouncer({ pool_mode: "session" });
const careless = usePgbouncer({
  ignore_startup_parameters: "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,options",
});
const urlOf = ({ options }: DataSource) => String((options as { url?: string }).url);
const settings = `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
  current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('enable_seqscan') AS seqscan`;
const ours = { statement: "10s", lock: "3s" };
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as Error,
  );

describe.runIf(hasPgbouncer)("behind PgBouncer in transaction mode (skipped where it is not installed)", () => {
  let db: DataSource;
  let keyed: KeyedPool;
  beforeAll(async () => {
    db = await connectDatabase(pooler.to(urlOf(direct)), 6, { isPooled: true, name: "tcf test" });
    keyed = openKeyedPool(db, 4);
  });
  afterAll(async () => {
    await keyed?.close();
    await db?.destroy();
  });

  it("each statement has the time-outs of a direct connection", async () => {
    expect(await db.query(settings)).toEqual([{ ...ours, idle: "0", seqscan: "on" }]);
    expect(await db.query(`${settings} WHERE $1 > 0`, [1])).toMatchObject([ours]);
    const inside = { ...ours, idle: "10s" };
    expect(await db.transaction((tx) => tx.query(settings))).toMatchObject([inside]);
    expect(await db.transaction("REPEATABLE READ", (tx) => tx.query(settings))).toMatchObject([inside]);
    expect(await runPrepared(db.manager, prepare(settings), [])).toMatchObject([ours]);
    expect(await keyed.run(prepare(settings), [])).toMatchObject([{ ...ours, seqscan: "off" }]);
  });

  it("a transaction has its isolation, and its settings end with it", async () => {
    const isolation = "SELECT current_setting('transaction_isolation') AS is";
    expect(await db.transaction("REPEATABLE READ", (tx) => tx.query(isolation))).toEqual([{ is: "repeatable read" }]);
    expect(await db.query(isolation)).toEqual([{ is: "read committed" }]);
  });

  it("a statement that takes too long is ended by the server", async () => {
    const impatient = createDataSource(urlOf(db), 1, { isPooled: true, timeouts: { statement_timeout: 200 } });
    await impatient.initialize();
    const sleep = "SELECT pg_sleep(60)";
    for (const slow of [impatient.query(sleep), impatient.transaction((tx) => tx.query(sleep))])
      expect(await errorOf(slow)).toMatchObject({ driverError: { code: "57014" } });
    await impatient.destroy();
  });

  it("a wait for a lock is ended by the server", async () => {
    await db.query("CREATE TABLE locked (id int)");
    await direct.transaction(async (tx) => {
      await tx.query("LOCK TABLE locked");
      const error = await errorOf(db.query("SELECT * FROM locked"));
      expect(error).toMatchObject({ driverError: { code: "55P03" } });
      expect(isPostgresUnavailable(error)).toBe(true);
    });
  });

  it("clients that share connections run the same prepared statements at once", async () => {
    const statement = prepare("SELECT $1::int + 1 AS next");
    const calls = Array.from({ length: 60 }, (_, at) =>
      [
        () => runPrepared<{ next: number }>(db.manager, statement, [at]),
        () => db.transaction((tx) => runPrepared<{ next: number }>(tx, statement, [at])),
        () => keyed.run<{ next: number }>(statement, [at]),
      ].map((call) => call().then(([row]) => row?.next)),
    );
    const expected = calls.map((_, at) => [at + 1, at + 1, at + 1]);
    expect(await Promise.all(calls.map((some) => Promise.all(some)))).toEqual(expected);
  });

  it("a statement that fails leaves the connection in order", async () => {
    expect(await errorOf(db.query("SELECT 1 / $1::int", [0]))).toMatchObject({ message: "division by zero" });
    expect(await errorOf(keyed.run(prepare("SELECT nothing"), []))).toMatchObject({ code: "42703" });
    const unsendable = { toPostgres: () => BigInt("no number") };
    expect(await errorOf(db.query("SELECT $1::int", [unsendable]))).toMatchObject({
      driverError: expect.any(SyntaxError),
    });
    expect(await db.query("SELECT 1 AS one WHERE false")).toEqual([]);
    expect(await db.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("nothing stays in a session: no settings, statements or locks", async () => {
    await Promise.all(Array.from({ length: 20 }, () => db.transaction((tx) => tx.query(settings))));
    // A client that sets nothing sees what the others have left on their connections.
    const bare = createDataSource(urlOf(db), 2, { isPooled: true, timeouts: {} });
    await bare.initialize();
    const [mine] = await bare.query(settings);
    const [server] = await createAndAsk(urlOf(direct));
    expect(mine).toEqual(server);
    expect(await bare.query("SELECT name FROM pg_prepared_statements")).toEqual([]);
    const held =
      "SELECT locktype FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    expect(await bare.query(held)).toEqual([]);
    await bare.destroy();
  });

  it("a pooler in session mode will do as well", async () => {
    const other = await connectDatabase(inSessionMode.to(urlOf(direct)), 2, { isPooled: true });
    expect(await other.query(settings)).toMatchObject([ours]);
    expect(await other.transaction((tx) => tx.query(settings))).toMatchObject([ours]);
    await other.destroy();
  });

  it("the server is told who asks", async () => {
    expect(await db.query("SELECT current_setting('application_name') AS name")).toEqual([{ name: "tcf test" }]);
  });
});

describe.runIf(hasPgbouncer)("a pooler that was not named (skipped where PgBouncer is not installed)", () => {
  it.each([
    ["refuses the parameters of a session", () => pooler],
    ["ignores the parameters of a session", () => careless],
  ])("is refused with what to set when it %s", async (_how, which) => {
    const url = which().to(urlOf(direct));
    const error = await errorOf(connectDatabase(url, 2));
    expect(error?.name).toBe("StartUpError");
    expect(error?.message).toBe(
      `Postgres at ${new URL(url).host}${new URL(url).pathname} is behind a pooler, which does not pass on the time-outs of a ` +
        "session. Set DATABASE_POOLER=transaction, and DATABASE_DIRECT_URL to the server itself for migrations.",
    );
  });
});

test.runIf(hasPgbouncer)("a parameter of the environment that the pooler refuses is named", async () => {
  vi.stubEnv("PGOPTIONS", "-c work_mem=1MB");
  const url = pooler.to(urlOf(direct));
  const error = await errorOf(connectDatabase(url, 2, { isPooled: true }));
  vi.unstubAllEnvs();
  expect(error).toMatchObject({
    name: "StartUpError",
    message: `Postgres at ${new URL(url).host}${new URL(url).pathname} cannot be used: unsupported startup parameter: options.`,
  });
});

async function createAndAsk(url: string) {
  const plain = await createDataSource(url, 1, { timeouts: {} }).initialize();
  return plain.query(settings).finally(() => plain.destroy());
}
