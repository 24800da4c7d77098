import type { EntityManager } from "typeorm";
import { payments } from "../db/dao/payments.ts";

/** What has been paid for an order, whole roubles; nothing that is promised, failed or paid back. Changes nothing. */
export function coveredRub(tx: EntityManager, orderId: string): Promise<number> {
  return payments.paidRub(tx, orderId);
}
