import type { EntityManager } from "typeorm";
import { businessTimeZone } from "../../../src/jobs/schedules.ts";
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

const refundsSql = `
  INSERT INTO refunds (id, payment_id, amount_rub, reason, state, finished_at, created_at)
  SELECT gen_random_uuid(), id, amount_rub, 'Заказ отменён', 'succeeded', refunded_at, refunded_at
  FROM payments WHERE state = 'refunded'`;

/** Committed waybills are numbered in the order of their commits. */
const numbersSql = `
  UPDATE waybills SET paper_year = numbered.year, paper_number = numbered.number, updated_at = waybills.updated_at
  FROM (
    SELECT id, year, row_number() OVER (PARTITION BY waybill_type, year ORDER BY committed_at, id) AS number
    FROM (SELECT id, waybill_type, committed_at,
            extract(year FROM committed_at AT TIME ZONE '${businessTimeZone}')::integer AS year
          FROM waybills WHERE committed_at IS NOT NULL) AS committed
  ) AS numbered
  WHERE numbered.id = waybills.id`;

/** Enters all rows; users that are there get the values of these. Not to be repeated. */
export async function enterBusiness(tx: EntityManager, business: Business): Promise<void> {
  for (const { rows, table } of tables) await insertRows(tx, table, business[rows], { update: rows === "users" });
  await tx.query(refundsSql);
  await tx.query(numbersSql);
}

/** How many rows there are, by what they are called. */
export function countBusiness(business: Business): Record<string, number> {
  return Object.fromEntries(tables.map(({ rows, what }) => [what, business[rows].length]));
}

/** The names of the tables, for who wants to measure them. */
export const businessTables: readonly string[] = tables.map(({ table }) => table);
