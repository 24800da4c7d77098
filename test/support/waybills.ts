import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { Waybill } from "../../src/db/entities/waybill.ts";

/** A pending waybill without lines; returns its id. */
export async function addWaybill(tx: EntityManager, values: { authorId: string; customerId: string }) {
  const id = randomUUID();
  await tx.insert(Waybill, { id, waybillType: "WAYBILL_OUT", ...values });
  return id;
}
