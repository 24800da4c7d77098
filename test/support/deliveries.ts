import { randomUUID } from "node:crypto";
import { Waybill } from "../../src/db/entities/stock/waybill.ts";
import { convertOrder } from "../../src/services/orders/convert-order.ts";
import { commitWaybill } from "../../src/services/stock/commit-waybill.ts";
import { type TestApi, userIds } from "./api.ts";

interface Delivery {
  orderId: string;
  customerId?: string;
  authorId?: string;
  isPending?: boolean;
}

/** A waybill of an order, which has moved neither stock nor balances. */
export async function addWaybillOf(api: TestApi, delivery: Delivery) {
  const { orderId, customerId = userIds.user, authorId = userIds.employee, isPending = false } = delivery;
  const id = randomUUID();
  const committed = isPending ? {} : { isPending, committedAt: new Date(), committedBy: authorId };
  await api.db.manager.insert(Waybill, {
    ...{ id, orderId, customerId, authorId, waybillType: "WAYBILL_OUT" as const, isPending: true },
    ...committed,
  });
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
