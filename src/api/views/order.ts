import type { EntityManager } from "typeorm";
import { z } from "zod";
import { orderOffers } from "../../db/dao/orders/order-offers.ts";
import { orders as orderRows } from "../../db/dao/orders/orders.ts";
import { shippingMethods } from "../../db/entities/accounts/user.ts";
import { type Order, orderStatuses } from "../../db/entities/orders/order.ts";
import type { Waybill } from "../../db/entities/stock/waybill.ts";
import { timestamp } from "../http/fields.ts";
import type { Actor, ApiContext, Profile } from "../http/types.ts";
import { isTheirs } from "../routes/orders/order-access.ts";
import { OrderLineView, viewOrderLines } from "./order-offer.ts";
import { UserView, userView } from "./user.ts";
import { OrderAddress, standInUser, warehouseAddress } from "./warehouse-order.ts";
import { WaybillView, waybillView } from "./waybill.ts";

/** An order as either profile shows it. */
export const OrderView = z
  .object({
    id: z.uuid(),
    status: z.enum(orderStatuses),
    note: z.string().nullable(),
    country: z.string().nullable().meta({ description: "The storefront gets only ARM, BLR, KAZ and RUS" }),
    city: z.string().nullable(),
    address: z.union([z.string(), OrderAddress]).nullable().meta({ description: "An object for the warehouse" }),
    address_id: z.uuid().nullable().meta({ description: "For the warehouse alone" }),
    street: z.string().nullable(),
    house: z.string().nullable(),
    postal_code: z.string().nullable(),
    shipping_method: z.enum(shippingMethods).meta({ description: "The storefront gets CARGO for OTHER" }),
    shipping_company: z.string().nullable().meta({ description: "The storefront gets only CDEK and KIT" }),
    first_name: z.string(),
    last_name: z.string(),
    email: z.string(),
    phone: z.string(),
    user: UserView.nullable().meta({ description: "For the owner and staff; never null for the warehouse" }),
    waybill: WaybillView.nullable().meta({ description: "For the owner and staff" }),
    order_offers: z.array(OrderLineView),
    total_sum: z.int(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Order" });
type View = z.output<typeof OrderView>;

export interface Viewer {
  actor: Actor | undefined;
  profile: Profile;
}

/**
 * Views of these orders, in their order, as far as the viewer may see them. Four more statements for any number of
 * orders: waybills, lines, offers, products.
 */
export async function viewOrders(
  context: ApiContext,
  reader: EntityManager,
  orders: readonly Order[],
  viewer: Viewer,
): Promise<View[]> {
  if (orders.length === 0) return [];
  const waybills = await orderRows.waybills(
    reader,
    orders.map(({ id }) => id),
  );
  const waybillOf = new Map(waybills.map((waybill) => [waybill.orderId, waybill]));
  const lines = await linesByOrder(context, reader, orders);
  return orders.map((order) =>
    orderView(order, { lines: lines.get(order.id) ?? [], waybill: waybillOf.get(order.id) ?? null }, viewer),
  );
}

async function linesByOrder(context: ApiContext, reader: EntityManager, orders: readonly Order[]) {
  const rows = await orderOffers.ofOrders(
    reader,
    orders.map(({ id }) => id),
  );
  const lines = new Map(orders.map(({ id }) => [id, [] as z.output<typeof OrderLineView>[]]));
  for (const line of await viewOrderLines(context, reader, rows)) lines.get(line.order_id)?.push(line);
  return lines;
}

interface Parts {
  lines: View["order_offers"];
  waybill: Waybill | null;
}

function orderView(order: Order, { lines, waybill }: Parts, { actor, profile }: Viewer): View {
  const isComplete = isTheirs(order, actor);
  const user = isComplete && order.user ? userView(order.user, profile) : null;
  return {
    id: order.id,
    status: order.status,
    note: order.note,
    city: order.city,
    street: order.street,
    house: order.house,
    postal_code: order.postalCode,
    first_name: order.firstName,
    last_name: order.lastName,
    email: order.email,
    phone: order.phone,
    ...(profile === "shop"
      ? { ...forShop(order), user }
      : { ...forWarehouse(order, isComplete), user: user ?? standInUser(order) }),
    waybill: isComplete && waybill ? waybillView(waybill, profile) : null,
    order_offers: lines,
    total_sum: lines.reduce((sum, { price_rub, quantity }) => sum + price_rub * quantity, 0),
    created_at: order.createdAt.toISOString(),
    updated_at: order.updatedAt.toISOString(),
  };
}

const oneOf = (known: string[], value: string | null) => (value !== null && known.includes(value) ? value : null);

function forShop(order: Order) {
  const parts = [order.street, order.house, order.postalCode].filter(Boolean).join(", ");
  return {
    address: order.address || parts || null,
    address_id: null,
    country: oneOf(["ARM", "BLR", "KAZ", "RUS"], order.country),
    shipping_company: oneOf(["CDEK", "KIT"], order.shippingCompany),
    shipping_method: order.shippingMethod === "OTHER" ? ("CARGO" as const) : order.shippingMethod,
  };
}

function forWarehouse(order: Order, isComplete: boolean) {
  const address = warehouseAddress(order, isComplete);
  const { country, shippingCompany: shipping_company, shippingMethod: shipping_method } = order;
  return { address, address_id: address.id, country, shipping_company, shipping_method };
}
