import type { EntityManager } from "typeorm";
import { scarceOffers } from "../db/dao/scarce-offers.ts";
import { requestMails } from "./mails.ts";
import { toStaff } from "./staff-notices.ts";

/** So few pieces are low: of most offers there are one to four (the usual stock of the shop). */
const scarceAtMost = 2;
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
  const scarce = await scarceOffers(tx, { atMost: scarceAtMost, since, until });
  if (scarce.length === 0) return 0;
  const parameters = { atMost: scarceAtMost, since: since.toISOString(), until: until.toISOString() };
  const wishes = await toStaff(tx, staff, [{ event: `low-stock:${parameters.until}`, kind: "low-stock", parameters }]);
  if (wishes.length > 0) await requestMails(tx, wishes);
  return scarce.length;
}
