import type { DataSource } from "typeorm";
import { events } from "../db/dao/webhooks/events.ts";
import type { Transact } from "../engine/index.ts";
import type { Log } from "../platform/logger.ts";
import { poll } from "../platform/poll.ts";
import type { MailRules } from "../services/mail/mail-rules.ts";
import { fanOutEvents } from "../services/webhooks/events.ts";

/** Deliveries should start within seconds, and a pass costs one lookup in an index that is nearly always empty. */
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
 * Enqueues the mails and deliveries of events until the signal; resolves when it has ended. Any number of processes may
 * run it.
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
    failure: "events cannot be delivered; they wait in Postgres",
    log,
    signal,
  });
}
