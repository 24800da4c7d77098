import type { OrderStatus } from "../../../src/db/entities/orders/order.ts";
import type { PaymentMethod, PaymentState } from "../../../src/db/entities/payments/payment.ts";
import type { PlacedOrder } from "./orders.ts";
import { sumOf } from "./prices.ts";
import type { PaymentRow } from "./rows.ts";
import type { Shop } from "./shop.ts";

/** One try to pay, of the whole order unless `half`. */
type Attempt = [method: PaymentMethod, state: PaymentState, half?: "half"];

/** What orders of a status may have seen; taken in turn. */
const histories: Record<OrderStatus, readonly Attempt[][]> = {
  COMPLETED: [
    [["CARD", "paid"]],
    [],
    [["BALANCE", "paid"]],
    [["CASH", "paid"]],
    [],
    [["INVOICE", "paid"]],
    [
      ["CARD", "failed"],
      ["CARD", "paid"],
    ],
    [["BALANCE", "paid", "half"]],
  ],
  SHIPPING: [[["INVOICE", "pending"]], [["CARD", "paid"]], [["BALANCE", "paid", "half"]], []],
  IN_PROGRESS: [[["CARD", "authorized"]], [["BALANCE", "paid"]], [["CASH", "pending"]], [["INVOICE", "paid"]]],
  NEW: [[["CARD", "pending"]], [["INVOICE", "pending"]], [], [["CARD", "failed"]]],
  CANCELED: [
    [["CARD", "refunded"]],
    [["BALANCE", "refunded"]],
    [["INVOICE", "failed"]],
    [["CARD", "unmatched"]],
    [["CARD", "failed"]],
    [],
  ],
};

const failures: Partial<Record<PaymentMethod, string>> = {
  CARD: "Банк отклонил карту",
  INVOICE: "Счёт не оплачен в срок",
};

/** How long after the order the customer pays, in minutes; all of it before the order is packed. */
const delays: Record<PaymentMethod, [atLeast: number, atMost: number]> = {
  BALANCE: [1, 3],
  CARD: [2, 9],
  INVOICE: [60, 240],
  CASH: [90, 270],
};

/** Payments of customers and guests; the warehouse does not pay itself. */
export function makePayments(shop: Shop, orders: readonly PlacedOrder[]): PaymentRow[] {
  const turns = new Map<OrderStatus, number>();
  return orders
    .filter(({ buyer }) => buyer !== shop.people.employee)
    .flatMap((placed) => {
      const { status } = placed.order;
      const turn = turns.get(status) ?? 0;
      turns.set(status, turn + 1);
      const attempts = histories[status][turn % histories[status].length] ?? [];
      return (placed.buyer ? attempts : asGuest(placed, attempts)).map((attempt) => pay(shop, placed, attempt));
    });
}

/** Guests have no balance, and get nothing on credit. */
function asGuest({ shippedAt }: PlacedOrder, attempts: readonly Attempt[]): readonly Attempt[] {
  if (shippedAt && !attempts.some(([, state, half]) => state === "paid" && !half)) return [["CASH", "paid"]];
  return attempts.map(([method, state]) => [method === "BALANCE" ? "CARD" : method, state]);
}

function pay(shop: Shop, { order, lines, buyer, steps }: PlacedOrder, [method, state, half]: Attempt): PaymentRow {
  const { random, calendar, people } = shop;
  // A card that works follows one that did not.
  const createdAt = calendar.after(order.createdAt, state === "failed" ? 1 : 5, state === "failed" ? 4 : 9);
  const settledAt = calendar.after(createdAt, ...delays[method]);
  const canceledAt = steps.at(-1)?.at ?? createdAt;
  const refundedAt = state === "refunded" ? calendar.after(canceledAt, 10, 60) : null;
  const total = sumOf(lines);
  const amountRub = half ? Math.ceil(total / 2) : total;
  return {
    id: random.uuid(),
    orderId: order.id,
    originalOrderId: null,
    creditedTo: null,
    ...moneyOf(state, amountRub, settledAt),
    method,
    state,
    amountRub,
    ...(method === "CARD" ? atProvider(shop) : { provider: null, providerReference: null, checkoutUrl: null }),
    failure: state === "failed" ? (failures[method] ?? null) : null,
    createdBy: method === "CASH" ? people.employee.id : (buyer?.id ?? null),
    refundedAt,
    createdAt,
    updatedAt: refundedAt ?? (state === "pending" ? createdAt : settledAt),
  };
}

/** What became of the money, if any arrived. */
function moneyOf(state: PaymentState, amountRub: number, settledAt: string) {
  return {
    refundedRub: state === "refunded" ? amountRub : 0,
    unmatchedReason: state === "unmatched" ? ("order_canceled" as const) : null,
    paidAt: ["paid", "refunded", "unmatched"].includes(state) ? settledAt : null,
  };
}

function atProvider({ random }: Shop) {
  const providerReference = `pay_${random.uuid().replaceAll("-", "")}`;
  return { provider: "sandbox", providerReference, checkoutUrl: `https://pay.example.com/${providerReference}` };
}
