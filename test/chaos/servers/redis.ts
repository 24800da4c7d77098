import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../../../dev/services/redis.ts";
import { freePort, type Service } from "../../../dev/services/service.ts";

export type OwnRedis = Awaited<ReturnType<typeof openRedis>>;

/** A Redis of the harness's own, with an append-only file, that can be killed, wiped and filled up. */
export async function openRedis(dataDirectory: string, watch: (pid: number) => void) {
  const port = await freePort();
  const binaryDirectory = "node_modules/.cache/tcf-backend/redis";
  const start = () => startRedis({ dataDirectory, binaryDirectory, port, spawned: watch });
  let running: Service = await start();
  const client = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 200, maxRetriesPerRequest: 1 });
  client.on("error", () => undefined);

  return {
    port,
    client,
    flush: () => client.flushall(),
    async kill() {
      process.kill(running.pid, "SIGKILL");
      await running.exited;
    },
    /** Deletes all that it has stored; only while it is down. */
    wipe() {
      const files = join(dataDirectory, "appendonlydir");
      if (!existsSync(files)) throw new Error(`Redis has no append-only file in ${files}: nothing would be wiped`);
      rmSync(files, { recursive: true });
    },
    async start() {
      running = await start();
    },
    async stop() {
      client.disconnect();
      await running.stop();
    },
  };
}
