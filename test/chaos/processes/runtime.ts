import { connectDatabase } from "../../../src/db/data-source.ts";
import { createQueues } from "../../../src/engine/bull-queues.ts";
import { createOutbox } from "../../../src/engine/outbox.ts";
import { startReconciler } from "../../../src/engine/reconciler.ts";
import { withReconcilerLock } from "../../../src/engine/reconciler-store.ts";
import { startRelay } from "../../../src/engine/relay.ts";
import { queueNames } from "../../../src/jobs/queues.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { producerConnection } from "../../../src/platform/redis.ts";
import { shutdownSignal } from "../../../src/platform/shutdown.ts";
import { endOnUncaughtError } from "../../../src/platform/start-up.ts";
import { crashAroundAdd, crashingOutbox, crashingStore, createCrash } from "./crash-points.ts";
import { chaosJobs } from "./kinds.ts";
import { readSettings } from "./settings.ts";

/** What every process of ours has besides its own work: the database, the queues, a relay and a reconciler. */
export async function startRuntime(name: string) {
  endOnUncaughtError(name);
  // Without the harness it would never stop.
  process.on("disconnect", () => process.exit(1));
  const settings = readSettings();
  const crash = createCrash(settings.CRASH_AT);
  const log = createLogger(settings.LOG_LEVEL, name);
  const signal = shutdownSignal();
  const db = await connectDatabase(settings.DATABASE_URL, 12);
  const producer = producerConnection(settings.redis, log);
  const queues = createQueues(queueNames, producer, settings.QUEUE_PREFIX, log);
  crashAroundAdd(queues, crash);
  const outbox = crashingOutbox(createOutbox(db, queueNames), crash);
  const jobs = chaosJobs(settings.RELEASE);
  const relay = startRelay({ outbox, queues, log, signal, jobs });
  const withLock = crashingStore(withReconcilerLock(db), crash);
  const reconciler = startReconciler({ withLock, queues, wake: relay.wake, log, signal });
  return {
    settings,
    jobs,
    crash,
    log,
    signal,
    db,
    queues,
    relay,
    /** Closes it all when `signal` has fired. */
    async end() {
      await Promise.all([relay.done, reconciler]);
      await queues.close();
      producer.disconnect();
      await db.destroy();
    },
  };
}
