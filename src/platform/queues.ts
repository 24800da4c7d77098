import { Queue } from "bullmq";
import { isNetworkError } from "../errors.ts";
import type { QueuedData } from "../jobs/dispatch.ts";
import { type QueueName, queueNames } from "../jobs/queues.ts";
import type { Log } from "./logger.ts";
import type { RedisConnection } from "./redis.ts";

export interface Queues {
  byName: Record<QueueName, Queue<QueuedData>>;
  /** First part of all keys. */
  prefix: string;
  client: RedisConnection;
  /** False while Redis is away: calls to a queue would wait for it. */
  isUp(): boolean;
  /** Closes all queues; their shared connection stays open. */
  close(): Promise<void>;
}

/** One BullMQ queue for each name, on a connection that fails fast. */
export function createQueues(connection: RedisConnection, prefix: string, log: Log): Queues {
  const open = (name: QueueName) => {
    const queue = new Queue<QueuedData>(name, { connection, prefix });
    queue.on("error", (error) => isNetworkError(error) || log.warn({ err: error, queue: name }, "queue error"));
    return [name, queue] as const;
  };
  const byName = Object.fromEntries(queueNames.map(open)) as Queues["byName"];
  return {
    byName,
    prefix,
    client: connection,
    isUp: () => connection.status === "ready",
    async close() {
      // A queue that never saw Redis would wait for it before it closes.
      if (connection.status !== "ready") connection.disconnect();
      await Promise.allSettled(Object.values(byName).map((queue) => queue.close()));
    },
  };
}
