import { describe, expect, it } from "vitest";
import { warehouseAddressId } from "../../../dev/demo/business/addresses.ts";
import { demoUsers } from "../../../dev/demo/users.ts";
import { orderStatuses } from "../../../src/db/entities/orders/order.ts";
import { groups } from "../../support/groups.ts";
import { byId, find, shops } from "./shops.ts";

describe.each(shops)("the orders of the %s shop", (_size, _catalogue, business) => {
  const { users, addresses, orders, orderOffers } = business;

  it("has orders in every state, recent ones as long as they are open", () => {
    expect(orders.length).toBeGreaterThanOrEqual(55);
    for (const status of orderStatuses) {
      expect(orders.filter((order) => order.status === status).length, status).toBeGreaterThan(3);
    }
    const open = orders.filter(({ status }) => status === "NEW" || status === "IN_PROGRESS");
    for (const { createdAt } of open) expect(createdAt > "2026-11-10").toBe(true);
  });

  it("has orders in the style of every client", () => {
    const shop = orders.filter(({ address }) => address !== null);
    for (const { address, country, city, shippingCompany, street, house, postalCode, addressId } of shop) {
      expect([street, house, postalCode, addressId]).toEqual([null, null, null, null]);
      expect(address).not.toBe("");
      expect(["ARM", "BLR", "KAZ", "RUS"]).toContain(country);
      expect(["CDEK", "KIT"]).toContain(shippingCompany);
      expect(city).not.toBeNull();
    }
    const pickup = orders.filter((order) => order.shippingMethod === "SELF_PICKUP" && order.addressId === null);
    for (const { address, country, city, shippingCompany, street, house, postalCode } of pickup) {
      const all = [address, country, city, shippingCompany, street, house, postalCode];
      expect(all.every((value) => value === null)).toBe(true);
    }
    const old = orders.filter(({ house, street, postalCode }) => house && street && postalCode);
    expect(old.every(({ address, addressId }) => address === null && addressId === null)).toBe(true);
    expect(Math.min(shop.length, pickup.length, old.length)).toBeGreaterThan(2);
  });

  it("has orders of guests, of customers and of the warehouse to stored addresses", () => {
    const guests = orders.filter(({ userId }) => userId === null);
    expect(guests.length).toBeGreaterThan(5);
    expect(guests.every(({ addressId }) => addressId === null)).toBe(true);
    const stored = orders.filter(({ addressId }) => addressId !== null);
    for (const { addressId, userId } of stored) expect(find(byId(addresses), addressId).userId).toBe(userId);
    const warehouse = stored.filter(({ addressId }) => addressId === warehouseAddressId);
    expect(warehouse.length).toBeGreaterThan(2);
    expect(stored.length).toBeGreaterThan(warehouse.length);
    for (const { userId, createdAt } of orders.filter((order) => order.userId)) {
      expect(find(byId(users), userId).createdAt < createdAt).toBe(true);
    }
  });

  it("gives every user with a demo token orders of their own", () => {
    for (const { id } of demoUsers.filter(({ role }) => role === "USER")) {
      expect(orders.filter(({ userId }) => userId === id).length).toBeGreaterThan(2);
    }
  });

  it("has one to eight lines in an order, counted from 0 and of different offers", () => {
    const byOrder = groups(orderOffers, ({ orderId }) => orderId);
    expect(byOrder).toHaveLength(orders.length);
    for (const lines of byOrder) {
      expect(lines.length).toBeLessThanOrEqual(8);
      expect(lines.map(({ position }) => position)).toEqual(lines.map((_, index) => index));
      expect(new Set(lines.map(({ offerId }) => offerId)).size).toBe(lines.length);
    }
    const sizes = byOrder.map((lines) => lines.length);
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 8]);
  });
});
