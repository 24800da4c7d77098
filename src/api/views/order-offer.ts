import type { EntityManager } from "typeorm";
import { z } from "zod";
import type { OrderOffer } from "../../db/entities/orders/order-offer.ts";
import type { ApiContext } from "../http/types.ts";
import { lineFields, lineViews } from "./lines.ts";

/** A line of an order: brand, number and price at its creation, and the present offer. */
export const OrderLineView = z.object({ ...lineFields, order_id: z.uuid() }).meta({ id: "OrderOffer" });

/** Views of these lines, in their order; two statements for all their offers. */
export function viewOrderLines(
  context: ApiContext,
  reader: EntityManager,
  lines: readonly OrderOffer[],
): Promise<z.output<typeof OrderLineView>[]> {
  return lineViews(context, reader, lines, ({ orderId }) => ({ order_id: orderId }));
}
