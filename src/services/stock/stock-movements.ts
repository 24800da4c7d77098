import type { EntityManager } from "typeorm";
import { stockMovements } from "../../db/dao/stock/stock-movements.ts";
import { NotFoundError } from "../../errors.ts";

/** The sum of all movements of an offer, and its stock, at the same moment. */
export async function getStockSums(tx: EntityManager, offerId: string) {
  return (await stockMovements.sums(tx, offerId)) ?? Promise.reject(new NotFoundError("Offer not found"));
}
