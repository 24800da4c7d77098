import { makeAdjustments } from "./business/adjustments.ts";
import { makeAuditLog } from "./business/audit.ts";
import { changesOfPayments, changesOfWaybills, enterChanges, withBalances } from "./business/balances.ts";
import { makeCarts } from "./business/carts.ts";
import { makeOrders } from "./business/orders.ts";
import { makePayments } from "./business/payments.ts";
import { makeReceipts } from "./business/receipts.ts";
import { makeReturns } from "./business/returns.ts";
import type * as rows from "./business/rows.ts";
import { makeSales } from "./business/sales.ts";
import { openShop } from "./business/shop.ts";
import { makeMovements } from "./business/stock.ts";
import type { Catalogue } from "./catalogue.ts";

/** All rows that users and staff have caused; what refers to another row comes after it. */
export interface Business {
  users: rows.UserRow[];
  addresses: readonly rows.AddressRow[];
  orders: rows.OrderRow[];
  orderOffers: rows.OrderOfferRow[];
  waybills: rows.WaybillRow[];
  waybillOffers: rows.WaybillOfferRow[];
  stockMovements: rows.StockMovementRow[];
  payments: rows.PaymentRow[];
  balanceEntries: rows.BalanceEntryRow[];
  carts: rows.CartRow[];
  cartOffers: rows.CartOfferRow[];
  auditLog: rows.AuditRow[];
}

/**
 * Half a year of a shop that sells this catalogue; the same for the same catalogue and seed. Stock and balances add
 * up: movements lead to the quantities of the catalogue, and entries to the balances of the users.
 */
export function generateBusiness(catalogue: Catalogue, { seed }: { seed: number }): Business {
  const shop = openShop(catalogue, seed);
  const { random, people, addresses } = shop;
  const orders = makeOrders(shop);
  const payments = makePayments(shop, orders);
  const sales = makeSales(shop, orders);
  const sold = [...sales, ...makeReturns(shop, sales, orders)];
  const waybills = [...makeReceipts(shop, sold, orders), ...sold];
  const entries = enterChanges(random, [
    ...changesOfWaybills(waybills, payments),
    ...changesOfPayments(payments),
    ...makeAdjustments(shop, payments),
  ]);
  const carts = makeCarts(shop, orders);
  const { admin, employee, demoCustomers, customers, supplier } = people;

  return {
    users: withBalances([admin, employee, ...demoCustomers, ...customers, supplier], entries),
    addresses,
    orders: orders.map(({ order }) => order),
    orderOffers: orders.flatMap(({ lines }) => lines),
    waybills: waybills.map(({ waybill }) => waybill),
    waybillOffers: waybills.flatMap(({ lines }) => lines),
    stockMovements: makeMovements(random, waybills),
    payments,
    balanceEntries: entries,
    carts: carts.map(({ cart }) => cart),
    cartOffers: carts.flatMap(({ lines }) => lines),
    auditLog: makeAuditLog(shop, { orders, waybills, entries }),
  };
}
