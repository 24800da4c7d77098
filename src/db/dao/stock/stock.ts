import type { EntityManager } from "typeorm";

/** The data of an offer that the commit of a waybill needs. */
export interface StockRow {
  id: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
}

/** Not FOR UPDATE: that would also block new lines that only refer to the offer. */
const lockSql = `
  SELECT id, brand, manufacturer_number AS "manufacturerNumber", quantity
  FROM offers WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`;

const moveSql = `
  UPDATE offers SET quantity = d.quantity
  FROM json_to_recordset($1) AS d(id uuid, quantity integer) WHERE offers.id = d.id`;

/** The stock of offers. */
export const stock = {
  /** Locks the offers until the transaction ends, in the order of ids, so that two transactions never deadlock. */
  lock: (tx: EntityManager, offerIds: readonly string[]): Promise<StockRow[]> => tx.query(lockSql, [offerIds]),

  /** Writes the quantities of offers that the caller has locked; one statement, however many. */
  async write(tx: EntityManager, quantities: Iterable<readonly [offerId: string, quantity: number]>) {
    await tx.query(moveSql, [JSON.stringify([...quantities].map(([id, quantity]) => ({ id, quantity })))]);
  },
};
