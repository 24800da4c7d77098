import { describe, expect, it } from "vitest";
import type { CustomerType } from "../../../src/db/entities/accounts/user.ts";
import { priceRubFor } from "../../../src/services/orders/prices.ts";
import { byId, find, shops } from "./shops.ts";

describe.each(shops)("the prices of the %s shop", (_size, catalogue, business) => {
  const { users, orders, orderOffers, waybills, waybillOffers, auditLog } = business;
  const [offers, people] = [byId(catalogue.offers), byId(users)];
  const promotion = auditLog.find(({ payload }) => payload && "customer_type" in payload);
  const promotedAt = promotion?.createdAt ?? "never";
  const isPromoted = (userId: string | null) => userId !== null && promotion?.endpoint.endsWith(`/users/${userId}`);

  function typeAt(userId: string | null, moment: string): CustomerType {
    if (!userId || (isPromoted(userId) && moment < promotedAt)) return "USER_RETAIL";
    return find(people, userId).customerType;
  }

  it("charge every line of an order what its buyer paid at that time", () => {
    const seen = new Set<CustomerType>();
    for (const { orderId, offerId, priceRub } of orderOffers) {
      const { userId, createdAt } = find(byId(orders), orderId);
      const type = typeAt(userId, createdAt);
      seen.add(type);
      expect(priceRub).toBe(priceRubFor(type, find(offers, offerId)));
    }
    expect(seen.size).toBe(3);
    const promoted = orders.filter(({ userId }) => isPromoted(userId));
    expect(new Set(promoted.map(({ createdAt }) => createdAt < promotedAt)).size).toBe(2);
  });

  it("charge every line of a waybill as its order did, or by the type of its customer", () => {
    for (const { waybillId, offerId, priceRub, quantity } of waybillOffers) {
      const { orderId, customerId, createdAt } = find(byId(waybills), waybillId);
      if (orderId === null) {
        expect(priceRub).toBe(priceRubFor(typeAt(customerId, createdAt), find(offers, offerId)));
      } else {
        const line = orderOffers.find((one) => one.orderId === orderId && one.offerId === offerId);
        expect({ priceRub, quantity }).toEqual({ priceRub: line?.priceRub, quantity: line?.quantity });
      }
    }
  });
});
