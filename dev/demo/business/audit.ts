import { warehouseAddressId } from "./addresses.ts";
import type { PlacedOrder } from "./orders.ts";
import type { Person } from "./people.ts";
import type { AuditRow, BalanceEntryRow } from "./rows.ts";
import type { Shop } from "./shop.ts";
import type { WaybillWithLines } from "./waybills.ts";

interface Action {
  userId: string;
  method: "POST" | "PATCH" | "DELETE";
  path: string;
  payload?: Record<string, unknown>;
  status: number;
  at: string;
}

export interface ShopHistory {
  orders: readonly PlacedOrder[];
  waybills: readonly WaybillWithLines[];
  entries: readonly BalanceEntryRow[];
}

/** What staff did to get where the shop is, and what they were refused. */
export function makeAuditLog(shop: Shop, { orders, waybills, entries }: ShopHistory): AuditRow[] {
  return [
    ...ofOrders(shop, orders),
    ...waybills.flatMap(ofWaybill),
    ...ofBalances(shop, entries),
    ...ofPeople(shop),
    ...refused(shop, waybills),
  ]
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ userId, method, path, payload = null, status, at }) => ({
      id: shop.random.uuid(),
      userId,
      method,
      endpoint: `https://api.example.com${path}`,
      payload,
      status,
      requestId: shop.random.uuid(),
      createdAt: at,
      updatedAt: at,
    }));
}

function ofOrders({ people }: Shop, orders: readonly PlacedOrder[]): Action[] {
  const userId = people.employee.id;
  return orders.flatMap(({ order, lines, buyer, steps }): Action[] => {
    const changes = steps.map(({ status, at }): Action => {
      return { userId, method: "PATCH", path: `/orders/${order.id}`, payload: { status }, status: 200, at };
    });
    if (buyer !== people.employee) return changes;
    const order_offers = lines.map(asPayload);
    const payload = { address_id: warehouseAddressId, status: "NEW", note: order.note, order_offers };
    return [{ userId, method: "POST", path: "/orders", payload, status: 201, at: order.createdAt }, ...changes];
  });
}

function ofWaybill({ waybill, lines }: WaybillWithLines): Action[] {
  const { id, authorId, customerId, orderId, waybillType, note, committedBy, committedAt, createdAt } = waybill;
  const payload = {
    customer_id: customerId,
    waybill_type: waybillType,
    is_pending: true,
    note,
    waybill_offers: lines.map(asPayload),
  };
  const made: Pick<Action, "path" | "payload"> = orderId
    ? { path: `/orders/${orderId}/convert` }
    : { path: "/waybills", payload };
  const actions: Action[] = [{ userId: authorId, method: "POST", ...made, status: 201, at: createdAt }];
  if (!committedBy || !committedAt) return actions;
  const path = `/waybills/${id}/commit`;
  return [...actions, { userId: committedBy, method: "POST", path, status: 201, at: committedAt }];
}

function asPayload(line: {
  offerId: string;
  brand: string;
  manufacturerNumber: string;
  quantity: number;
  priceRub: number;
}) {
  return {
    offer_id: line.offerId,
    brand: line.brand,
    manufacturer_number: line.manufacturerNumber,
    quantity: line.quantity,
    price_rub: line.priceRub,
  };
}

function ofBalances({ people }: Shop, entries: readonly BalanceEntryRow[]): Action[] {
  return entries
    .filter(({ waybillId, paymentId }) => !waybillId && !paymentId)
    .map(({ userId, delta, reason, currency, createdAt }) => {
      const path = `/balance/adjust/${userId}?delta=${delta}&reason=${reason}&currency=${currency}`;
      return { userId: people.admin.id, method: "POST", path, status: 201, at: createdAt };
    });
}

function ofPeople({ people }: Shop): Action[] {
  const change = (person: Person, by: Person, payload: Record<string, unknown>, at: string | undefined): Action[] =>
    at ? [{ userId: by.id, method: "PATCH", path: `/users/${person.id}`, payload, status: 200, at }] : [];
  return people.customers.flatMap((person) => [
    ...change(person, people.employee, { customer_type: person.customerType }, person.retailUntil),
    ...change(person, people.admin, { is_active: false }, person.activeUntil),
  ]);
}

/** The first category has sub-categories, and a committed waybill stays. */
function refused({ people, catalogue, calendar }: Shop, waybills: readonly WaybillWithLines[]): Action[] {
  const at = () => calendar.onDay("2026-11-19", "2026-11-20");
  const committed = waybills.find(({ waybill }) => !waybill.isPending);
  const common = { userId: people.employee.id, method: "DELETE", status: 409 } as const;
  return [
    { ...common, path: `/categories/${catalogue.categories[0]?.id}`, at: at() },
    { ...common, path: `/waybills/${committed?.waybill.id}`, at: at() },
  ];
}
