import type { EntityManager } from "typeorm";
import { lowStockOffers } from "../../db/dao/stock/low-stock-offers.ts";
import { requestMails } from "../mail/mails.ts";
import { toStaff } from "../mail/staff-notices.ts";

/** So few pieces are low: of most offers there are one to four (the usual stock of the shop). */
const lowStockLimit = 2;
const dayMs = 86_400_000;

/**
 * Promises staff a mail about what was nearly sold out in the day before `until`, if anything was; returns how many
 * offers that are. May be repeated.
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
