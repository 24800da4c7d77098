import { randomUUID } from "node:crypto";
import type { DataSource } from "typeorm";
import { type NewLineRow, waybillOffers } from "../../src/db/dao/stock/waybill-offers.ts";
import { Waybill } from "../../src/db/entities/stock/waybill.ts";
import { userIds } from "./api.ts";

type WaybillLine = Pick<NewLineRow, "offerId"> & Partial<NewLineRow>;

export interface AddedWaybill {
  id: string;
  lineIds: string[];
}

/**
 * A pending waybill out with its lines in the database, made by the employee for the user unless said otherwise; in a
 * transaction when its manager is given.
 */
export async function addWaybill(
  { manager }: Pick<DataSource, "manager">,
  { lines = [], ...values }: Partial<Omit<Waybill, "author" | "customer" | "order">> & { lines?: WaybillLine[] } = {},
): Promise<AddedWaybill> {
  const id = values.id ?? randomUUID();
  await manager.insert(Waybill, {
    authorId: userIds.employee,
    customerId: userIds.user,
    waybillType: "WAYBILL_OUT",
    ...values,
    id,
  });
  const line = { brand: "ACME", manufacturerNumber: "AC-100", quantity: 1, priceRub: 1_000 };
  const rows = lines.map((values) => ({ ...line, ...values }));
  return { id, lineIds: await waybillOffers.insert(manager, id, rows) };
}
