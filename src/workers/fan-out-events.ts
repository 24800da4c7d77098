import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource } from "typeorm";
import { events } from "../db/dao/events.ts";
import { createTransact } from "../db/transaction.ts";
import type { PromisedJob } from "../jobs/dispatch.ts";
import type { Log } from "../platform/logger.ts";
import { fanOutEvents } from "../services/events.ts";
import type { MailRules } from "../services/mail-rules.ts";

/** Deliveries should begin within seconds, and a look costs one row of an index that is nearly always empty. */
const pollMs = 500;
const backoffMs = 2_000;

export interface EventFanOutOptions {
  db: DataSource;
  mailRules: MailRules;
  /** Moves what is promised. */
  offer: (jobs: readonly PromisedJob[]) => void;
  log: Log;
  signal: AbortSignal;
}

/**
 * Promises the mails and deliveries of events until told to stop, and drops old events; resolves when it has ended. Any number of
 * processes may do so.
 */
export async function startEventFanOut({ db, mailRules, offer, log, signal }: EventFanOutOptions): Promise<void> {
  const transact = createTransact(db, offer);
  const origin = { actorId: null, traceId: null };
  let isFailing = false;

  const turn = async () => {
    if (!(await events.isAnyNew(db.manager))) return 0;
    return transact(origin, (tx) => fanOutEvents(tx, mailRules));
  };
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);

  while (!signal.aborted) {
    try {
      const count = await turn();
      isFailing = false;
      // Not all processes at the same moment.
      if (count === 0) await pause(pollMs * (0.5 + Math.random()));
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, "events cannot be passed on; they wait in Postgres");
      isFailing = true;
      await pause(backoffMs);
    }
  }
}
