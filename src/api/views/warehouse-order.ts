import { z } from "zod";
import { shippingMethods } from "../../db/entities/accounts/user.ts";
import type { Order } from "../../db/entities/orders/order.ts";
import type { UserView } from "./user.ts";

/** An order's address in the warehouse's format. */
export const OrderAddress = z
  .object({
    id: z.uuid(),
    user_id: z.uuid(),
    first_name: z.string(),
    last_name: z.string(),
    phone: z.string(),
    city: z.string(),
    street: z.string(),
    postal_code: z.string(),
    shipping_method: z.enum(shippingMethods).nullable(),
    shipping_company: z.string().nullable(),
    is_default: z.boolean(),
  })
  .meta({ id: "OrderAddress" });

/** Shown where there is no account. */
export const noUserId = "00000000-0000-0000-0000-000000000000";

/** The stored address of an order, or one made from the order's own fields; no text of it is empty (contract 4.3). */
export function warehouseAddress(order: Order, isComplete: boolean): z.output<typeof OrderAddress> {
  const stored = isComplete ? order.storedAddress : null;
  const street = order.address || [order.street, order.house].filter(Boolean).join(", ");
  const from = stored ?? { ...order, id: order.id, userId: isComplete ? order.userId : null, street, isDefault: false };
  return {
    id: from.id,
    user_id: from.userId ?? noUserId,
    first_name: from.firstName || "—",
    last_name: from.lastName || "—",
    phone: from.phone || "—",
    city: from.city || "—",
    street: from.street || "—",
    postal_code: from.postalCode || "—",
    shipping_method: from.shippingMethod,
    shipping_company: from.shippingCompany,
    is_default: from.isDefault,
  };
}

/** Shown in place of the account of an order that has none, or a hidden one (contract 4.3). */
export function standInUser(order: Order): z.output<typeof UserView> {
  return {
    id: noUserId,
    clerk_id: "",
    email: order.email,
    first_name: order.firstName,
    last_name: order.lastName,
    is_active: false,
    role: "USER",
    customer_type: "USER_RETAIL",
    balance_rub: 0,
    balance_usd: 0,
    balance_eur: 0,
    balance_try: 0,
    mailing: false,
    language: "ru",
    phone: order.phone,
    city: order.city,
    note: null,
    shipping_method: null,
    shipping_company: null,
    created_at: order.createdAt.toISOString(),
    updated_at: order.createdAt.toISOString(),
  };
}
