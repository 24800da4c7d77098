import type { EntityManager } from "typeorm";
import { orderOffers } from "../../../db/dao/orders/order-offers.ts";
import type { Order } from "../../../db/entities/orders/order.ts";
import { maxOrderLines } from "../../../services/orders/price-order-lines.ts";
import { pageEnd, pageStart } from "../../http/json-writer.ts";
import { type PageQuery, toPage } from "../../http/paging.ts";
import type { ApiContext, Result } from "../../http/types.ts";
import { type Viewer, viewOrders } from "../../views/order.ts";

/** Lines in memory at once: about four megabytes as JSON. */
const portion = 10 * maxOrderLines;
/** This many orders do no harm, however long they are. */
const maxWhole = 25;

/**
 * One page of orders with their lines. A page with very many lines, which any client can cause, is sent in pieces, each
 * made when the one before it is sent: as a whole it would take more memory than the process has.
 */
export async function orderPage(
  context: ApiContext,
  reader: EntityManager,
  { orders, total, query, viewer }: { orders: readonly Order[]; total: number; query: PageQuery; viewer: Viewer },
): Promise<Result> {
  const portions = await inPortions(reader, orders);
  if (portions.length <= 1) {
    return { status: 200, body: toPage(await viewOrders(context, reader, orders, viewer), total, query) };
  }
  async function* pieces() {
    for (const [n, some] of portions.entries()) {
      const items = JSON.stringify(await viewOrders(context, reader, some, viewer));
      yield `${n === 0 ? pageStart : ","}${items.slice(1, -1)}`;
    }
    yield pageEnd(total, query);
  }
  return { status: 200, stream: pieces(), headers: { "content-type": "application/json" } };
}

/** The orders in parts, each with as many lines as may be in memory, or of a single order. */
async function inPortions(reader: EntityManager, orders: readonly Order[]): Promise<Order[][]> {
  if (orders.length <= maxWhole) return [[...orders]];
  const counts = await orderOffers.countOf(
    reader,
    orders.map(({ id }) => id),
  );
  const portions: Order[][] = [];
  let left = 0;
  for (const order of orders) {
    const lines = counts.get(order.id) ?? 0;
    if (portions.length === 0 || lines > left) {
      portions.push([]);
      left = portion;
    }
    portions.at(-1)?.push(order);
    left -= lines;
  }
  return portions;
}
