import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, inject, vi } from "vitest";
import { startPostgres } from "../../dev/services/postgres.ts";
import { freePort, type Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";

/** A primary and its streaming standby, each a real server that may be stopped, promoted or made read-only. */
export function usePrimaryAndStandby() {
  const folder = join(inject("directory"), `standby-${randomUUID()}`);
  const watchdog = startWatchdog();
  const running = new Map<string, Service>();

  async function start(which: "primary" | "standby", port: number) {
    const service = await startPostgres({ dataDirectory: join(folder, which), port, fast: true });
    running.set(which, service);
    watchdog.watch({ databases: [...running.values()].map(({ pid }) => pid) });
  }

  const servers = {
    /** Host and port of each, as a URL has them. */
    primary: "",
    standby: "",
    /** A URL of the database `postgres` on these servers. */
    url: (...hosts: string[]) => `postgresql://postgres@${hosts.join(",")}/postgres`,
    async stop(which: "primary" | "standby") {
      await running.get(which)?.stop();
      running.delete(which);
    },
    /** Asks one server alone. */
    async ask(host: string, sql: string) {
      const client = new pg.Client(servers.url(host));
      await client.connect();
      const { rows } = await client.query(sql).finally(() => client.end());
      return rows;
    },
  };

  beforeAll(async () => {
    const [one, other] = [await freePort(), await freePort()];
    [servers.primary, servers.standby] = [`127.0.0.1:${one}`, `127.0.0.1:${other}`];
    await start("primary", one);
    await servers.stop("primary");
    // A copy of a stopped server is a base backup; not all packages of Postgres have pg_basebackup.
    mkdirSync(join(folder, "standby"));
    execFileSync("cp", ["-a", join(folder, "primary/data"), join(folder, "standby/data")]);
    execFileSync("cp", ["-a", join(folder, "standby/data/PG_VERSION"), join(folder, "standby/data/standby.signal")]);
    const source = `primary_conninfo = 'host=127.0.0.1 port=${one} user=postgres'\n`;
    appendFileSync(join(folder, "standby/data/postgresql.auto.conf"), source);
    await start("primary", one);
    await start("standby", other);
    await vi.waitFor(async () => {
      expect(await servers.ask(servers.primary, "SELECT state FROM pg_stat_replication")).toEqual([
        { state: "streaming" },
      ]);
    }, 30_000);
  }, 120_000);
  afterAll(async () => {
    for (const which of ["standby", "primary"] as const) await servers.stop(which);
    await watchdog.release();
  });
  return servers;
}
