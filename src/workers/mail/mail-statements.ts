import type { DataSource } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { type MailBegin, type MailEnd, mails } from "../../db/dao/mail/mails.ts";
import { createBatcher } from "../../platform/batch.ts";
import { isPostgresUnavailable } from "../../platform/postgres/errors.ts";
import { isPriceListThere } from "../../services/documents/documents.ts";

/** Interval between a busy worker's statements, so that a few mails share each; an idle worker does not wait. */
const batching = { size: 100, maxInFlight: 2, minIntervalMs: 20, failsWholeBatch: isPostgresUnavailable };

export type MailStatements = ReturnType<typeof createMailStatements>;

/** The statements of a worker about each mail; mails that come close together share one. */
export function createMailStatements({ manager }: DataSource) {
  const begin = createBatcher((begins: MailBegin[]) => mails.markSending(manager, begins), batching);
  return {
    /** The mail to send; null when it was deleted. */
    find: createBatcher(
      (asked: Parameters<typeof mails.findToSend>[1][number][]) => mails.findToSend(manager, asked),
      batching,
    ),
    /** See `mails.markSending`; throws its error about the claim. */
    async begin(mail: MailBegin) {
      const begun = await begin(mail);
      if (begun instanceof Error) throw begun;
      return begun;
    },
    /** See `mails.markSent`. */
    end: createBatcher((ends: MailEnd[]) => mails.markSent(manager, ends), batching),
    /** The user whom a mail addresses; null when the user was deleted. */
    user: createBatcher((ids: string[]) => users.findByIds(manager, ids), batching),
    /** Whether the public price list of a day can be read. */
    hasPriceList: createBatcher(async (days: string[]) => {
      const published = new Map<string, boolean>();
      for (const day of new Set(days)) published.set(day, await isPriceListThere(manager, day));
      return days.map((day) => published.get(day) === true);
    }, batching),
  };
}
