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

const issueSql = `
  INSERT INTO invoices (year, number, order_id)
  SELECT this.year, 1 + coalesce((SELECT max(number) FROM invoices WHERE year = this.year), 0), orders.id
  FROM orders CROSS JOIN (SELECT extract(year FROM now() AT TIME ZONE $2)::integer AS year) AS this
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
