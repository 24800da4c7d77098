import { z } from "zod";
import { connectDatabase } from "../../../src/db/data-source.ts";
import { createQueues } from "../../../src/engine/bull-queues.ts";
import { defineJob, priorities } from "../../../src/engine/define-job.ts";
import { createOutbox } from "../../../src/engine/outbox.ts";
import type { Kinds } from "../../../src/engine/processor.ts";
import { startReconciler } from "../../../src/engine/reconciler.ts";
import { withReconcilerLock } from "../../../src/engine/reconciler-store.ts";
import { startRelay } from "../../../src/engine/relay.ts";
import { queueNames } from "../../../src/jobs/queues.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { producerConnection } from "../../../src/platform/redis.ts";
import type { Servers } from "./contestant.ts";

/** The job of the benches. */
export const noop = defineJob({
  name: "noop",
  queue: "maintenance",
  version: 1,
  payload: z.object({ n: z.int(), note: z.string() }),
  key: ({ n }) => String(n),
  entity: ({ n }) => ({ type: "bench", id: String(n) }),
  priority: priorities.interactive,
  retry: { attempts: 5, backoffMs: 1_000, outageMs: 2_000 },
  timeoutMs: 30_000,
  description: "Does nothing, to be measured.",
});

/** A worker that can do nothing else. */
export const kinds = (started: (n: number) => void): Kinds<object> => ({
  jobs: { noop },
  processors: { noop: { run: async ({ payload }) => started(payload.n) } },
});

/** What every process of ours has, as `main.ts` makes it: connections, relay and reconciler. */
export async function openEngine({ databaseUrl, redisUrl }: Servers, pool: number) {
  const log = createLogger("warn", "bench");
  const signal = new AbortController().signal;
  // Two of ours share one Redis.
  const prefix = `bench-${new URL(databaseUrl).pathname.slice(1)}`;
  const db = await connectDatabase(databaseUrl, pool);
  const queues = createQueues(queueNames, producerConnection(redisUrl, log), prefix, log);
  const relay = startRelay({ outbox: createOutbox(db, queueNames), queues, log, signal, jobs: { noop } });
  void startReconciler({ withLock: withReconcilerLock(db), queues, wake: relay.wake, log, signal });
  return { log, db, queues, relay, prefix };
}
