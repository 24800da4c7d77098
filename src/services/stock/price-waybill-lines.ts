import type { EntityManager } from "typeorm";
import { catalogueRows } from "../../db/dao/catalogue/catalogue-rows.ts";
import type { NewLineRow } from "../../db/dao/stock/waybill-offers.ts";
import type { CustomerType } from "../../db/entities/accounts/user.ts";
import { NotFoundError } from "../../errors.ts";
import type { RequestedLine } from "../orders/price-order-lines.ts";
import { priceRubFor } from "../orders/prices.ts";

/** Lines of one waybill: enough for a truckload, and neither a commit nor their list takes long. */
export const maxWaybillLines = 1_000;

/**
 * Lines for storage: the present brand, number and price of the offer, the price for this type of customer. Deleted
 * offers are accepted too, since their remaining pieces have to leave the stock. Throws when an offer is unknown.
 */
export async function priceWaybillLines(
  tx: EntityManager,
  { customerType, lines }: { customerType: CustomerType; lines: readonly RequestedLine[] },
): Promise<NewLineRow[]> {
  if (lines.length === 0) return [];
  const offers = await catalogueRows.offers(tx, [...new Set(lines.map(({ offerId }) => offerId))]);
  const byId = new Map(offers.map((offer) => [offer.id, offer]));
  return lines.map(({ offerId, quantity }) => {
    const offer = byId.get(offerId);
    if (!offer) throw new NotFoundError("Offer not found");
    const { brand, manufacturerNumber } = offer;
    return { offerId, quantity, brand, manufacturerNumber, priceRub: priceRubFor(customerType, offer) };
  });
}
