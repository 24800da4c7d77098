import type { DataSource } from "typeorm";
import { type MailBegin, type MailEnd, mails } from "../../db/dao/mails.ts";
import { users } from "../../db/dao/users.ts";
import { isPostgresUnavailable } from "../../db/postgres-errors.ts";
import { fold } from "../../platform/fold.ts";
import { isPriceListThere } from "../../services/documents.ts";

/** A busy worker's statements are so far apart, so that a few mails share each; one that was idle does not wait. */
const folding = { size: 100, lanes: 2, spacingMs: 20, concernsAll: isPostgresUnavailable };

export type MailBooks = ReturnType<typeof createMailBooks>;

/** What a worker asks and writes down about each mail; of mails that come close together, in one statement. */
export function createMailBooks({ manager }: DataSource) {
  const begin = fold((begins: MailBegin[]) => mails.markSending(manager, begins), folding);
  return {
    /** What is to be sent; null when it was deleted. */
    find: fold((asked: Parameters<typeof mails.findToSend>[1][number][]) => mails.findToSend(manager, asked), folding),
    /** See `mails.markSending`; throws what it says of the claim. */
    async begin(mail: MailBegin) {
      const begun = await begin(mail);
      if (begun instanceof Error) throw begun;
      return begun;
    },
    /** See `mails.markSent`. */
    end: fold((ends: MailEnd[]) => mails.markSent(manager, ends), folding),
    /** To whom a mail speaks; null when they were deleted. */
    user: fold((ids: string[]) => users.findByIds(manager, ids), folding),
    /** Whether the public price list of a day can be read. */
    hasPriceList: fold(async (days: string[]) => {
      const there = new Map<string, boolean>();
      for (const day of new Set(days)) there.set(day, await isPriceListThere(manager, day));
      return days.map((day) => there.get(day) === true);
    }, folding),
  };
}
