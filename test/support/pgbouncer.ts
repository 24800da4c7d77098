import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, inject } from "vitest";
import { findPgbouncer, startPgbouncer } from "../../dev/services/pgbouncer.ts";
import type { Service } from "../../dev/services/service.ts";
import { startWatchdog } from "../../dev/services/watchdog.ts";

/** True where PgBouncer is installed (Debian: apt-get install pgbouncer); tests that need it are skipped elsewhere. */
export const hasPgbouncer = findPgbouncer() !== undefined;

/** A PgBouncer in transaction mode before the server of all test files; does nothing where it is not installed. */
export function usePgbouncer(settings: Record<string, string | number> = {}) {
  const watchdog = startWatchdog();
  const folder = join(inject("directory"), `pgbouncer-${randomUUID()}`);
  let running: Service | undefined;
  async function start(port?: number) {
    running = await startPgbouncer({
      ...{ folder, server: inject("postgresUrl"), settings, ...(port && { port }) },
      spawned: (pid) => watchdog.watch({ services: [pid] }),
    });
  }
  beforeAll(async () => {
    if (hasPgbouncer) await start();
  });
  afterAll(async () => {
    await running?.stop();
    await watchdog.release();
  });
  return {
    /** The way through it to the database that this URL names. */
    to: (url: string) => new URL(new URL(url).pathname, running?.url).href,
    /** Ends it with all connections, does `meanwhile`, and starts it again on the same port. */
    async restart(meanwhile: () => Promise<unknown>) {
      const port = Number(new URL(running?.url ?? "").port);
      await running?.stop();
      await meanwhile();
      await start(port);
    },
  };
}
