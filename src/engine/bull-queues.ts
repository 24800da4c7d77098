import { Queue } from "bullmq";
import { isNetworkError } from "../errors.ts";
import type { Log } from "../platform/logger.ts";
import { queuePrefix, type RedisConnection } from "../platform/redis.ts";
import type { QueuedData } from "./dispatch.ts";

/** Queues by name, all on one connection. */
export interface Queues<Name extends string = string> {
  byName: Readonly<Record<Name, Queue<QueuedData>>>;
  /** The queue of this name, which may be a former one; undefined: this process knows none. */
  find(name: string): Queue<QueuedData> | undefined;
  /** Prefix of all keys; those of a queue begin as `keysOf` says. */
  prefix: string;
  client: RedisConnection;
  /** False while Redis is unavailable: calls to a queue would wait for it. */
  isUp(): boolean;
  /** Closes all queues; their shared connection stays open. */
  close(): Promise<void>;
}

/** What all keys of a queue begin with, without the colon that follows. */
export function keysOf({ client, prefix }: Pick<Queues, "client" | "prefix">, queue: string): string {
  return `${queuePrefix(client, prefix, queue)}:${queue}`;
}

/** One BullMQ queue for each name, on a connection that fails fast; `presentName` maps former names to present ones. */
export function createQueues<Name extends string>(
  names: readonly Name[],
  connection: RedisConnection,
  prefix: string,
  log: Log,
  presentName: ReadonlyMap<string, string> = new Map(),
): Queues<Name> {
  const open = (name: Name) => {
    const queue = new Queue<QueuedData>(name, {
      connection,
      prefix: queuePrefix(connection, prefix, name),
      // It would print a warning beside the log; `warnOfUnfit` looks at the version.
      skipVersionCheck: true,
    });
    queue.on("error", (error) => isNetworkError(error) || log.warn({ err: error, queue: name }, "queue error"));
    return [name, queue] as const;
  };
  const byName = Object.fromEntries(names.map(open)) as Queues<Name>["byName"];
  return {
    byName,
    find: (name) => (byName as Queues["byName"])[presentName.get(name) ?? name],
    prefix,
    client: connection,
    isUp: () => connection.status === "ready",
    async close() {
      // A queue that never saw Redis would wait for it before it closes.
      if (connection.status !== "ready") connection.disconnect();
      await Promise.allSettled(Object.values<Queue<QueuedData>>(byName).map((queue) => queue.close()));
    },
  };
}
