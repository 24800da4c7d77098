import type { EntityManager } from "typeorm";
import { users } from "../../db/dao/accounts/users.ts";
import { type NewOrderLineRow, orderOffers } from "../../db/dao/orders/order-offers.ts";
import { type NewOrderRow, type OrderFields, orders } from "../../db/dao/orders/orders.ts";
import { payments } from "../../db/dao/payments/payments.ts";
import { waybills } from "../../db/dao/stock/waybills.ts";
import type { User } from "../../db/entities/accounts/user.ts";
import type { OrderStatus } from "../../db/entities/orders/order.ts";
import { BadRequestError, ConflictError, NotFoundError } from "../../errors.ts";
import { cancelPayments } from "../payments/cancel-payments.ts";
import { recordEvent } from "../webhooks/events.ts";
import { contactOf, type RequestedContact } from "./order-contact.ts";
import { priceOrderLines, type RequestedLine } from "./price-order-lines.ts";

export interface OrderRequest {
  /** The caller; null for a guest. */
  callerId: string | null;
  /** The account that a guest claims to own; not verified. */
  claimedUserId: string | null;
  status: OrderStatus;
  note: string | null;
  contact: RequestedContact;
  lines: readonly RequestedLine[];
}

/**
 * Stores an order with its lines, all or nothing, and returns its id. It belongs to its caller, at that customer's
 * prices. A guest pays retail prices, and the order goes to the account they claim only when its e-mail is the one in
 * the order. Callers below EMPLOYEE get status NEW. Throws when an offer is unknown, deleted or short.
 */
export async function createOrder(tx: EntityManager, request: OrderRequest) {
  const { callerId, contact: requested, lines } = request;
  const caller = callerId === null ? null : await users.findById(tx, callerId);
  const contact = await contactOf(tx, { requested, caller });
  const owner = caller ?? (await claimedAccount(tx, request.claimedUserId, contact.email));
  const customerType = caller?.customerType ?? "USER_RETAIL";
  const priced = await priceOrderLines(tx, { lines, customerType });
  const status = caller && caller.role !== "USER" ? request.status : "NEW";
  return storeOrder(tx, {
    order: { ...contact, userId: owner?.id ?? null, status, note: request.note, byGuest: caller === null },
    lines: priced,
  });
}

/** Inserts an order and priced lines; the offers have to be locked before, since the order refers to a user. */
export async function storeOrder(
  tx: EntityManager,
  { order, lines }: { order: NewOrderRow; lines: readonly NewOrderLineRow[] },
) {
  const id = await orders.insert(tx, order);
  await orderOffers.insert(tx, id, lines);
  await recordEvent(tx, "order.created", { id, status: order.status });
  return id;
}

async function claimedAccount(tx: EntityManager, id: string | null, email: string): Promise<User | null> {
  const user = id === null ? null : await users.findById(tx, id);
  return user?.isActive && user.email.toLowerCase() === email.toLowerCase() ? user : null;
}

/**
 * An order with its account and stored address; throws, with a sentence of its own (contract 1.11), when there is none.
 */
export async function getOrder(tx: EntityManager, id: string) {
  return (await orders.findById(tx, id)) ?? Promise.reject(new NotFoundError(`Order with id ${id} not found.`));
}

/** What becomes of the payments of an order that is canceled. */
export const cancelPolicies = ["keep", "refund"] as const;
export type CancelPolicy = (typeof cancelPolicies)[number];

export interface OrderChange {
  id: string;
  change: Partial<OrderFields>;
  /** For a change to CANCELED; see `cancelPayments`. */
  payments?: CancelPolicy | undefined;
  actorId?: string | null;
}

/** Changes the given fields of an order; any status may follow any other. Throws when there is nothing to change. */
export async function changeOrder(
  tx: EntityManager,
  { id, change, payments: policy = "keep", actorId = null }: OrderChange,
) {
  if (Object.keys(change).length === 0) throw new BadRequestError("No data provided for update");
  const order = await orders.lock(tx, id);
  if (!order) throw new NotFoundError("Entity not found");
  await orders.patch(tx, id, change);
  const { status = order.status } = change;
  if (status !== order.status)
    await recordEvent(tx, "order.status_changed", { id, status, previous_status: order.status });
  // Staff may decide later that the money goes back.
  if (status === "CANCELED" && (status !== order.status || policy === "refund"))
    await cancelPayments(tx, { orderId: id, policy, actorId });
}

/**
 * Deletes an order with its lines; its failed payments stay, because money may still arrive for them. Throws while it
 * has a waybill or any other payment.
 */
export async function deleteOrder(tx: EntityManager, { id }: { id: string }) {
  const order = await orders.lock(tx, id);
  if (!order) throw new NotFoundError("Order not found");
  const booked = await waybills.ofOrder(tx, id);
  const kept = (await payments.ofOrder(tx, id)).filter(({ state }) => state !== "failed");
  const reasons = [
    ...nameAll(
      "committed waybills",
      booked.filter(({ isPending }) => !isPending).map((waybill) => `'${waybill.id}'`),
    ),
    ...nameAll(
      "payments that have not failed",
      kept.map((payment) => `'${payment.id}' (${payment.state})`),
    ),
  ];
  if (reasons.length > 0) {
    const instead = order.status === "CANCELED" ? "" : ": set its status to CANCELED instead";
    throw new ConflictError(`Order '${id}' has ${reasons.join(" and ")}; it has to be kept${instead}`);
  }
  const [pending] = booked;
  if (pending) throw new ConflictError(`Order '${id}' has pending waybill '${pending.id}'; delete that one first`);
  await payments.detach(tx, id);
  await orders.remove(tx, id);
}

const nameAll = (what: string, names: readonly string[]) => (names.length > 0 ? [`${what}: ${names.join(", ")}`] : []);
