import type { EntityManager } from "typeorm";
import { Order } from "../../entities/orders/order.ts";
import { Waybill } from "../../entities/stock/waybill.ts";

/**
 * One line of an order or a waybill as it is printed: with the present names, and the price and number at its creation.
 */
export interface PrintedLine {
  category: string;
  name: string;
  brand: string;
  manufacturerNumber: string;
  priceRub: number;
  quantity: number;
  updatedAt: Date;
}

const linesSql = (table: "order_offers" | "waybill_offers", owner: string, sorting: string) => `
  SELECT category.name AS category, product.name, line.brand, line.manufacturer_number AS "manufacturerNumber",
         line.price_rub AS "priceRub", line.quantity, line.updated_at AS "updatedAt"
  FROM ${table} line
  JOIN offers offer ON offer.id = line.offer_id
  JOIN products product ON product.id = offer.product_id
  JOIN sub_categories sub_category ON sub_category.id = product.sub_category_id
  JOIN categories category ON category.id = sub_category.category_id
  WHERE line.${owner} = $1
  ORDER BY ${sorting}`;

const orderLinesSql = linesSql("order_offers", "order_id", "line.position, line.created_at, line.id");
const waybillLinesSql = linesSql("waybill_offers", "waybill_id", "line.id");

/** The data of documents; missing data are `null`, never an error. */
export const documentSources = {
  order: (tx: EntityManager, id: string) => tx.findOneBy(Order, { id }),

  orderLines: (tx: EntityManager, id: string): Promise<PrintedLine[]> => tx.query(orderLinesSql, [id]),

  /** A waybill with its customer and, if it was made from one, its order. */
  waybill: (tx: EntityManager, id: string) =>
    tx.findOne(Waybill, { where: { id }, relations: { customer: true, order: true } }),

  waybillLines: (tx: EntityManager, id: string): Promise<PrintedLine[]> => tx.query(waybillLinesSql, [id]),
};
