import type { EntityManager } from "typeorm";
import { insertRows } from "../bulk.ts";
import type { Business } from "../business.ts";

interface Table {
  rows: keyof Business;
  table: string;
  /** What people call its rows. */
  what: string;
}

/** In this order every row finds those that it refers to. */
const tables: readonly Table[] = [
  { rows: "users", table: "users", what: "users" },
  { rows: "addresses", table: "addresses", what: "addresses" },
  { rows: "orders", table: "orders", what: "orders" },
  { rows: "orderOffers", table: "order_offers", what: "order lines" },
  { rows: "waybills", table: "waybills", what: "waybills" },
  { rows: "waybillOffers", table: "waybill_offers", what: "waybill lines" },
  { rows: "stockMovements", table: "stock_movements", what: "stock movements" },
  { rows: "payments", table: "payments", what: "payments" },
  { rows: "balanceEntries", table: "user_balance_history", what: "balance entries" },
  { rows: "carts", table: "carts", what: "carts" },
  { rows: "cartOffers", table: "cart_offers", what: "cart lines" },
  { rows: "auditLog", table: "audit_log", what: "audit rows" },
];

/** Enters all rows; users that are there get the values of these. Not to be repeated. */
export async function enterBusiness(tx: EntityManager, business: Business): Promise<void> {
  for (const { rows, table } of tables) await insertRows(tx, table, business[rows], { update: rows === "users" });
}

/** How many rows there are, by what they are called. */
export function countBusiness(business: Business): Record<string, number> {
  return Object.fromEntries(tables.map(({ rows, what }) => [what, business[rows].length]));
}

/** The names of the tables, for who wants to measure them. */
export const businessTables: readonly string[] = tables.map(({ table }) => table);
