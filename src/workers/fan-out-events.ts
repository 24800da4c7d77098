import type { DataSource } from "typeorm";
import { events } from "../db/dao/webhooks/events.ts";
import type { Transact } from "../engine/index.ts";
import type { Log } from "../platform/logger.ts";
import { poll } from "../platform/poll.ts";
import type { MailRules } from "../services/mail/mail-rules.ts";
import { fanOutEvents } from "../services/webhooks/events.ts";

/** Deliveries should begin within seconds, and a look costs one row of an index that is nearly always empty. */
const pollMs = 500;
const backoffMs = 2_000;

export interface EventFanOutOptions {
  db: DataSource;
  mailRules: MailRules;
  transact: Transact;
  log: Log;
  signal: AbortSignal;
}

/**
 * Promises the mails and deliveries of events until told to stop, and drops old events; resolves when it has ended. Any number of
 * processes may do so.
 */
export function startEventFanOut({ db, mailRules, transact, log, signal }: EventFanOutOptions): Promise<void> {
  const context = { actorId: null, traceId: null };
  return poll({
    async look() {
      if (!(await events.isAnyNew(db.manager))) return false;
      return (await transact(context, (tx) => fanOutEvents(tx, mailRules))) > 0;
    },
    everyMs: pollMs,
    backoffMs,
    failure: "events cannot be passed on; they wait in Postgres",
    log,
    signal,
  });
}
