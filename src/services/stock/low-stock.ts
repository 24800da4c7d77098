import type { EntityManager } from "typeorm";
import { lowStockOffers } from "../../db/dao/stock/low-stock-offers.ts";
import { requestMails } from "../mail/mails.ts";
import { toStaff } from "../mail/staff-notices.ts";

/** This many pieces or fewer are low: most offers have one to four (the usual stock of the shop). */
const lowStockLimit = 2;
const dayMs = 86_400_000;

/**
 * Enqueues a mail to staff about what was nearly sold out on the day before `until`, if anything was; returns the
 * number of offers. May be repeated.
 */
export async function requestLowStockMails(
  tx: EntityManager,
  { until, staff }: { until: Date; staff: readonly string[] },
): Promise<number> {
  const since = new Date(until.getTime() - dayMs);
  const scarce = await lowStockOffers(tx, { atMost: lowStockLimit, since, until });
  if (scarce.length === 0) return 0;
  const parameters = { atMost: lowStockLimit, since: since.toISOString(), until: until.toISOString() };
  const requests = await toStaff(tx, staff, [
    { event: `low-stock:${parameters.until}`, kind: "low-stock", parameters },
  ]);
  if (requests.length > 0) await requestMails(tx, requests);
  return scarce.length;
}
