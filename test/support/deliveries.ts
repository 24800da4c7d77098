import { randomUUID } from "node:crypto";
import { orders } from "../../src/db/dao/orders.ts";
import { Waybill } from "../../src/db/entities/waybill.ts";
import { changeBalance } from "../../src/services/balances.ts";
import { coveredRub } from "../../src/services/payments.ts";
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

/** Does to the books what the commit of the order's waybill does: charges what payments have not covered. */
export async function deliver(api: TestApi, { orderId, totalRub }: { orderId: string; totalRub: number }) {
  await api.context.transact({ actorId: null, traceId: null }, async (tx) => {
    const order = await orders.lock(tx, orderId);
    const waybillId = randomUUID();
    const [authorId, customerId] = [userIds.employee, order?.userId ?? userIds.employee];
    const committed = { isPending: false, committedAt: new Date(), committedBy: authorId };
    const row = { id: waybillId, orderId, customerId, authorId, waybillType: "WAYBILL_OUT" as const, ...committed };
    await tx.insert(Waybill, row);
    const delta = (await coveredRub(tx, orderId)) - totalRub;
    if (customerId === authorId || delta === 0) return;
    await changeBalance(tx, { userId: customerId, currency: "RUB", delta, reason: "WAYBILL_PAYMENT", waybillId });
  });
}
