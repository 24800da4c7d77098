import type { DataSource } from "typeorm";
import { afterAll, expect, it, vi } from "vitest";
import { connectDatabase } from "../../../src/db/data-source.ts";
import { costOf } from "../../../src/engine/classify-error.ts";
import { isPostgresUnavailable } from "../../../src/platform/postgres/errors.ts";
import { openKeyedPool, prepare } from "../../../src/platform/postgres/prepared.ts";
import { usePrimaryAndStandby } from "../../support/standby.ts";

const servers = usePrimaryAndStandby();
const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});

async function open(url: string) {
  const db = await connectDatabase(url, 3);
  opened.push({ close: () => db.destroy() });
  return db;
}
const open2 = (db: DataSource) => {
  const pool = openKeyedPool(db, 2);
  opened.push(pool);
  return pool;
};
const port = "SELECT inet_server_port() AS port";
const portOf = (host: string) => Number(host.split(":")[1]);
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as Error,
  );

it("a URL with several servers leads to the one that takes writes, in whatever order they are", async () => {
  for (const url of [servers.url(servers.standby, servers.primary), servers.url(servers.primary, servers.standby)]) {
    const db = await open(url);
    expect(await Promise.all([1, 2, 3].map(() => db.query(port)))).toEqual(
      Array(3).fill([{ port: portOf(servers.primary) }]),
    );
    expect(await open2(db).run(prepare(port), [])).toEqual([{ port: portOf(servers.primary) }]);
  }
});

it("a URL that asks for any server leads to the first", async () => {
  const db = await open(`${servers.url(servers.standby, servers.primary)}?target_session_attrs=any`);
  expect(await db.query(port)).toEqual([{ port: portOf(servers.standby) }]);
});

it("a process does not start where no server takes writes, and says so", async () => {
  const error = await errorOf(open(`${servers.url(servers.standby)}?target_session_attrs=read-write`));
  expect(error).toMatchObject({
    name: "NotThereYetError",
    message: `Postgres at ${servers.standby}/postgres cannot be reached: '${servers.standby}' takes no writes.`,
  });
});

it("a wrong login is refused by the first server, and not tried at the others", async () => {
  const error = await errorOf(
    open(`${servers.url(servers.primary, servers.standby).replace("postgres@", "stranger@")}`),
  );
  expect(error?.message).toContain('role "stranger" does not exist');
});

it("a write that a standby refuses costs no attempt, and its connection is not used again", async () => {
  const db = await open(servers.url(servers.standby));
  const write = "CREATE TABLE never (id int)";
  const pids: number[] = [];
  for (let time = 0; time < 2; time++) {
    const error = await errorOf(
      db.transaction(async (tx) => {
        const [{ pid }] = await tx.query("SELECT pg_backend_pid() AS pid");
        pids.push(pid);
        await tx.query(write);
      }),
    );
    expect(error).toMatchObject({ driverError: { code: "25006" } });
    expect([isPostgresUnavailable(error), costOf(error)]).toEqual([true, "none"]);
  }
  expect(new Set(pids).size).toBe(2);
  // Others stay.
  const pidsOfReads = await Promise.all([1, 2].map(() => db.transaction((tx) => tx.query("SELECT pg_backend_pid()"))));
  await db.query("SELECT 1");
  expect(pidsOfReads).toHaveLength(2);
});

it("a primary that was made read-only is left for the promoted standby, and so is one that stopped", async () => {
  const db = await open(servers.url(servers.primary, servers.standby));
  const keyed = open2(db);
  await db.query("CREATE TABLE kept (id int)");
  await vi.waitFor(() => servers.ask(servers.standby, "SELECT FROM kept"), 10_000);
  await servers.ask(servers.primary, "ALTER SYSTEM SET default_transaction_read_only = on");
  await servers.ask(servers.primary, "SELECT pg_reload_conf()");
  await vi.waitFor(async () => {
    const error = await errorOf(db.transaction((tx) => tx.query("INSERT INTO kept VALUES (1)")));
    expect(error).toBeDefined();
    expect(isPostgresUnavailable(error)).toBe(true);
  }, 10_000);
  await servers.ask(servers.standby, "SELECT pg_promote()");
  await vi.waitFor(() => db.transaction((tx) => tx.query("INSERT INTO kept VALUES (2)")), 20_000);
  expect(await servers.ask(servers.standby, "SELECT id FROM kept")).toEqual([{ id: 2 }]);

  await servers.stop("primary");
  await vi.waitFor(() => keyed.run(prepare("INSERT INTO kept VALUES (3)"), []), 20_000);
  expect(await keyed.run(prepare(port), [])).toEqual([{ port: portOf(servers.standby) }]);
  expect(await db.query("SELECT id FROM kept ORDER BY id")).toEqual([{ id: 2 }, { id: 3 }]);
  // Also for a process that starts now.
  expect(await (await open(servers.url(servers.primary, servers.standby))).query(port)).toEqual([
    { port: portOf(servers.standby) },
  ]);
});
