import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { WaybillOffer } from "../../entities/stock/waybill-offer.ts";

export type NewLineRow = Pick<WaybillOffer, "offerId" | "brand" | "manufacturerNumber" | "quantity" | "priceRub">;
export type LineRowChange = Partial<Pick<WaybillOffer, "brand" | "manufacturerNumber" | "quantity" | "priceRub">>;

const insertSql = `
  INSERT INTO waybill_offers (id, waybill_id, offer_id, brand, manufacturer_number, quantity, price_rub)
  SELECT l.id, $1, l."offerId", l.brand, l."manufacturerNumber", l.quantity, l."priceRub"
  FROM json_to_recordset($2) AS l(id uuid, "offerId" uuid, brand text, "manufacturerNumber" text, quantity integer,
                                  "priceRub" integer)`;

/** Lines of waybills as rows; a missing one is `null` or `false`, never an error. */
export const waybillOffers = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(WaybillOffer, { id }),

  /** All lines of a waybill, in the order in which they were added. */
  ofWaybill: (tx: EntityManager, waybillId: string) =>
    tx.find(WaybillOffer, { where: { waybillId }, order: { id: "ASC" } }),

  count: (tx: EntityManager, waybillId: string) => tx.countBy(WaybillOffer, { waybillId }),

  /**
   * Adds lines in one statement, however many; returns their ids. Ids rise with time, so that lists by id keep the
   * order.
   */
  async insert(tx: EntityManager, waybillId: string, lines: readonly NewLineRow[]) {
    const rows = lines.map((line) => ({ id: uuidv7(), ...line }));
    await tx.query(insertSql, [waybillId, JSON.stringify(rows)]);
    return rows.map(({ id }) => id);
  },

  async patch(tx: EntityManager, id: string, change: LineRowChange) {
    await tx.update(WaybillOffer, { id }, change);
  },

  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(WaybillOffer, { id })).affected === 1;
  },
};
