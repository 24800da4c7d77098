import { randomUUID } from "node:crypto";
import { type NewLineRow, waybillOffers } from "../../src/db/dao/stock/waybill-offers.ts";
import { Waybill } from "../../src/db/entities/stock/waybill.ts";
import { convertOrder } from "../../src/services/orders/convert-order.ts";
import { commitWaybill } from "../../src/services/stock/commit-waybill.ts";
import { type TestApi, userIds } from "./api.ts";

interface Delivery {
  orderId: string;
  customerId?: string;
  authorId?: string;
  isPending?: boolean;
  lines?: (Pick<NewLineRow, "offerId" | "quantity" | "priceRub"> & Partial<NewLineRow>)[];
}

/** Above all numbers that commits take in a test. */
let papers = 1_000_000;

/** A waybill of an order, which has moved neither stock nor balances. */
export async function addWaybillOf(api: TestApi, delivery: Delivery) {
  const { orderId, customerId = userIds.user, authorId = userIds.employee, isPending = false, lines = [] } = delivery;
  const id = randomUUID();
  const number = { paperYear: new Date().getUTCFullYear(), paperNumber: ++papers };
  const committed = isPending ? {} : { isPending, committedAt: new Date(), committedBy: authorId, ...number };
  await api.db.manager.insert(Waybill, {
    ...{ id, orderId, customerId, authorId, waybillType: "WAYBILL_OUT" as const, isPending: true },
    ...committed,
  });
  const rows = lines.map((line) => ({ brand: "ACME", manufacturerNumber: "AC-100", ...line }));
  await waybillOffers.insert(api.db.manager, id, rows);
  return id;
}

/** Converts the order, and commits the waybill: its goods leave the stock, and its customer is charged. */
export async function deliver({ context }: TestApi, { orderId }: { orderId: string }) {
  const { employee: userId } = userIds;
  await context.transact({ actorId: null, traceId: null }, async (tx) => {
    const waybillId = await convertOrder(tx, { orderId, authorId: userId });
    await commitWaybill(tx, { waybillId, userId });
  });
}
