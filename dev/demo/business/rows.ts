import type { Address } from "../../../src/db/entities/accounts/address.ts";
import type { User } from "../../../src/db/entities/accounts/user.ts";
import type { AuditEntry } from "../../../src/db/entities/audit/audit-entry.ts";
import type { Cart } from "../../../src/db/entities/orders/cart.ts";
import type { CartOffer } from "../../../src/db/entities/orders/cart-offer.ts";
import type { Order } from "../../../src/db/entities/orders/order.ts";
import type { OrderOffer } from "../../../src/db/entities/orders/order-offer.ts";
import type { BalanceEntry } from "../../../src/db/entities/payments/balance-entry.ts";
import type { Payment } from "../../../src/db/entities/payments/payment.ts";
import type { StockMovement } from "../../../src/db/entities/stock/stock-movement.ts";
import type { Waybill } from "../../../src/db/entities/stock/waybill.ts";
import type { WaybillOffer } from "../../../src/db/entities/stock/waybill-offer.ts";

/** The columns of an entity; moments are texts as `toISOString()` writes them. */
type Row<E, Relations extends keyof E = never> = { [K in Exclude<keyof E, Relations>]: Stored<E[K]> };
type Stored<Value> = Value extends Date ? string : Value;

export type UserRow = Row<User, "identityUpdatedAt" | "erasedAt">;
export type AddressRow = Row<Address, "user">;
export type OrderRow = Row<Order, "user" | "storedAddress">;
export type OrderOfferRow = Row<OrderOffer, "order" | "offer">;
export type WaybillRow = Row<Waybill, "author" | "customer" | "order">;
export type WaybillOfferRow = Row<WaybillOffer, "waybill" | "offer">;
export type StockMovementRow = Row<StockMovement, "offer" | "waybill" | "user">;
export type PaymentRow = Row<Payment, "order">;
export type BalanceEntryRow = Row<BalanceEntry, "waybill">;
export type CartRow = Row<Cart>;
export type CartOfferRow = Row<CartOffer, "cart" | "offer">;
export type AuditRow = Row<AuditEntry, "user">;
