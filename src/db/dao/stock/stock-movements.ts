import type { EntityManager } from "typeorm";
import { v7 as uuidv7 } from "uuid";
import { StockMovement } from "../../entities/stock/stock-movement.ts";
import type { WaybillType } from "../../entities/stock/waybill.ts";

export interface NewMovementRow {
  lineId: string;
  offerId: string;
  delta: number;
  before: number;
  after: number;
}

export interface MovementFilter {
  offerId?: string | undefined;
  waybillId?: string | undefined;
}

export interface StockSums {
  movements: number;
  sumDelta: number;
  quantity: number;
}

/** The clock is read while the offers are locked: the order in time is then the order in which the stock changed. */
const insertSql = `
  INSERT INTO stock_movements (id, offer_id, waybill_id, waybill_offer_id, waybill_type, delta, quantity_before,
                               quantity_after, user_id, created_at)
  SELECT m.id, m."offerId", $1, m."lineId", $2, m.delta, m.before, m.after, $3, clock_timestamp()
  FROM json_to_recordset($4) AS m(id uuid, "offerId" uuid, "lineId" uuid, delta integer, before integer, after integer)`;

/** One statement, so that the sums match the quantity. */
const sumsSql = `
  SELECT o.quantity, count(m.id)::int AS movements, coalesce(sum(m.delta), 0)::float8 AS "sumDelta"
  FROM offers o LEFT JOIN stock_movements m ON m.offer_id = o.id
  WHERE o.id = $1 GROUP BY o.id`;

/** Changes of the stock by committed waybills. */
export const stockMovements = {
  /** One page, the newest first, with the actors, and the total; two statements. */
  async list(tx: EntityManager, { offerId, waybillId }: MovementFilter, page: { limit: number; offset: number }) {
    const where = { ...(offerId !== undefined && { offerId }), ...(waybillId !== undefined && { waybillId }) };
    const rows = await tx
      .createQueryBuilder(StockMovement, "movement")
      .innerJoin("movement.user", "user")
      .addSelect(["user.id", "user.firstName", "user.lastName"])
      .where(where)
      .orderBy("movement.createdAt", "DESC")
      .addOrderBy("movement.id", "DESC")
      .limit(page.limit)
      .offset(page.offset)
      .getMany();
    return [rows, await tx.countBy(StockMovement, where)] as const;
  },

  /** The sources of an offer's stock; undefined when there is no such offer. */
  async sums(tx: EntityManager, offerId: string) {
    const [row]: StockSums[] = await tx.query(sumsSql, [offerId]);
    return row;
  },

  /** Adds the movements of one waybill in one statement, however many. */
  async insert(
    tx: EntityManager,
    { waybillId, waybillType, userId }: { waybillId: string; waybillType: WaybillType; userId: string },
    movements: readonly NewMovementRow[],
  ) {
    const rows = movements.map((movement) => ({ id: uuidv7(), ...movement }));
    await tx.query(insertSql, [waybillId, waybillType, userId, JSON.stringify(rows)]);
  },
};
