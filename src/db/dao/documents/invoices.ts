import type { EntityManager } from "typeorm";
import { businessTimeZone } from "../../../jobs/schedules.ts";
import { waitForLockOn } from "../../../platform/postgres/locks.ts";

/** The number of an order's invoice. */
export interface Invoice {
  year: number;
  number: number;
  issuedAt: Date;
}

const findSql = `SELECT year, number, issued_at AS "issuedAt" FROM invoices WHERE order_id = $1`;

/** The time is read after the wait for the number, so that later numbers have later times, also around New Year. */
const issueSql = `
  WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
  this AS (SELECT at, extract(year FROM at AT TIME ZONE $2)::integer AS year FROM clock)
  INSERT INTO invoices (year, number, order_id, issued_at)
  SELECT this.year, 1 + coalesce((SELECT max(number) FROM invoices WHERE year = this.year), 0), orders.id, this.at
  FROM orders CROSS JOIN this
  WHERE orders.id = $1
  ON CONFLICT (order_id) DO NOTHING`;

/** Numbers of invoices; that of a deleted order stays, so that none is left out. */
export const invoices = {
  async ofOrder(tx: EntityManager, orderId: string): Promise<Invoice | null> {
    const [row]: Invoice[] = await tx.query(findSql, [orderId]);
    return row ?? null;
  },

  /**
   * Gives an order's invoice the next number of the year, once; does nothing when there is no such order. First issues
   * wait for each other until their transactions end.
   */
  async issue(tx: EntityManager, orderId: string): Promise<void> {
    if (await invoices.ofOrder(tx, orderId)) return;
    await waitForLockOn(tx, JSON.stringify(["numbers", "invoices"]));
    await tx.query(issueSql, [orderId, businessTimeZone]);
  },
};
