import { describe, expect, it } from "vitest";
import { z } from "zod";
import { waybillTypes } from "../../../src/db/entities/stock/waybill.ts";
import { byId, find, shops } from "./shops.ts";

const text = z.string().trim().min(1);

describe.each(shops)("the waybills of the %s shop", (_size, catalogue, business) => {
  const { orders, orderOffers, waybills, waybillOffers, cartOffers } = business;

  it("has whole quantities and roubles, and maker and number of the offer, in every line", () => {
    const offers = byId(catalogue.offers);
    const line = z.object({
      brand: text,
      manufacturerNumber: text,
      quantity: z.int().min(1),
      priceRub: z.int().min(0),
    });
    for (const row of [...orderOffers, ...waybillOffers]) {
      line.parse(row);
      const { brand, manufacturerNumber } = find(offers, row.offerId);
      expect(row).toMatchObject({ brand, manufacturerNumber });
    }
    for (const { offerId } of cartOffers) find(offers, offerId);
  });

  it("has waybills of all types, pending and committed, with lines, and one for an order at most", () => {
    for (const type of waybillTypes) {
      for (const isPending of [true, false]) {
        const some = waybills.filter((waybill) => waybill.waybillType === type && waybill.isPending === isPending);
        expect(some.length, `${type}, pending: ${isPending}`).toBeGreaterThan(1);
      }
    }
    const ofOrders = waybills.flatMap(({ orderId }) => orderId ?? []);
    expect(new Set(ofOrders).size).toBe(ofOrders.length);
    expect(new Set(waybillOffers.map(({ waybillId }) => waybillId)).size).toBe(waybills.length);
    for (const { isPending, committedAt, committedBy, createdAt } of waybills) {
      expect([committedAt === null, committedBy === null]).toEqual([isPending, isPending]);
      if (committedAt) expect(createdAt < committedAt).toBe(true);
    }
  });

  it("has packed some of the orders in progress", () => {
    const converted = new Set(waybills.map(({ orderId }) => orderId));
    const inProgress = orders.filter(({ status }) => status === "IN_PROGRESS");
    const packed = inProgress.filter(({ id }) => converted.has(id));
    expect(packed.length > 0 && packed.length < inProgress.length).toBe(true);
  });

  it("has sent out what is shipped, and has not what is not", () => {
    const waybillOf = new Map(waybills.flatMap((waybill) => (waybill.orderId ? [[waybill.orderId, waybill]] : [])));
    for (const { id, status, createdAt, updatedAt, userId, note } of orders) {
      const waybill = waybillOf.get(id);
      const shipped = status === "SHIPPING" || status === "COMPLETED";
      expect(waybill?.isPending === false, status).toBe(shipped);
      if (status === "NEW" || status === "CANCELED") expect(waybill).toBeUndefined();
      if (!waybill) continue;
      expect(waybill).toMatchObject({ waybillType: "WAYBILL_OUT", customerId: userId ?? waybill.authorId, note });
      expect(createdAt < waybill.createdAt && (waybill.committedAt ?? "") < updatedAt).toBe(true);
    }
  });
});
