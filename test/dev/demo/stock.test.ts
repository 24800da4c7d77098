import { describe, expect, it } from "vitest";
import { type Business, generateBusiness } from "../../../dev/demo/business.ts";
import type { Catalogue } from "../../../dev/demo/catalogue.ts";
import { groups } from "../../support/groups.ts";
import { byId, find, shops } from "./shops.ts";

describe.each(shops)("the stock of the %s shop", (_size, catalogue, business) => {
  const { waybills, waybillOffers, stockMovements } = business;
  const offers = byId(catalogue.offers);
  const committed = waybills.filter(({ isPending }) => !isPending);

  it("has one movement for every line of a committed waybill, at its commit and in its direction", () => {
    const lines = waybillOffers.filter(({ waybillId }) => committed.some(({ id }) => id === waybillId));
    expect(new Set(stockMovements.map(({ waybillOfferId }) => waybillOfferId)).size).toBe(lines.length);
    expect(stockMovements).toHaveLength(lines.length);
    for (const movement of stockMovements) {
      const waybill = find(byId(waybills), movement.waybillId);
      const { offerId, quantity, waybillId } = find(byId(waybillOffers), movement.waybillOfferId);
      expect(movement).toMatchObject({
        offerId,
        waybillId,
        waybillType: waybill.waybillType,
        userId: waybill.committedBy,
        createdAt: waybill.committedAt,
        delta: waybill.waybillType === "WAYBILL_OUT" ? -quantity : quantity,
      });
    }
  });

  it("leads from nothing to the stock of today without a gap, and never below zero", () => {
    const moved = groups(stockMovements, ({ offerId }) => offerId);
    expect(moved.length).toBeGreaterThan(100);
    for (const movements of moved) {
      let [stock, last] = [0, ""];
      for (const { quantityBefore, quantityAfter, delta, createdAt } of movements) {
        expect({ quantityBefore, quantityAfter }).toEqual({ quantityBefore: stock, quantityAfter: stock + delta });
        expect(quantityAfter).toBeGreaterThanOrEqual(0);
        expect(createdAt > last).toBe(true);
        [stock, last] = [quantityAfter, createdAt];
      }
      expect(movements[0]?.waybillType).toBe("WAYBILL_IN");
      expect(stock).toBe(find(offers, movements[0]?.offerId ?? null).quantity);
    }
    expect(moved.some((movements) => movements.filter(({ delta }) => delta > 0).length > 1)).toBe(true);
  });

  it("was never ordered beyond what was there", () => {
    expect(excessive(catalogue, business)).toEqual([]);
  });
});

it.each([100, 101, 102, 103, 104, 105, 106, 107])("the stock of a shop from the seed %d adds up as well", (seed) => {
  const [[, catalogue]] = shops;
  const [offers, business] = [byId(catalogue.offers), generateBusiness(catalogue, { seed })];
  expect(business.stockMovements.filter(({ quantityAfter }) => quantityAfter < 0)).toEqual([]);
  for (const movements of groups(business.stockMovements, ({ offerId }) => offerId)) {
    const last = movements.at(-1);
    expect(last?.quantityAfter).toBe(find(offers, last?.offerId ?? null).quantity);
  }
  expect(excessive(catalogue, business)).toEqual([]);
});

/** Lines of orders that were placed when there was less on the shelf. */
function excessive(catalogue: Catalogue, { orders, orderOffers, stockMovements }: Business) {
  const [offers, placed] = [byId(catalogue.offers), byId(orders)];
  return orderOffers.filter(({ orderId, offerId, quantity }) => {
    const { createdAt } = find(placed, orderId);
    const movements = stockMovements.filter((movement) => movement.offerId === offerId);
    const before = movements.findLast((movement) => movement.createdAt < createdAt);
    return quantity > (movements.length === 0 ? find(offers, offerId).quantity : (before?.quantityAfter ?? 0));
  });
}
