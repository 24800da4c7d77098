import { describe, expect, it } from "vitest";
import { z } from "zod";
import { closed, opened } from "../../../dev/demo/business/calendar.ts";
import { generateBusiness } from "../../../dev/demo/business.ts";
import { demoUsers } from "../../../dev/demo/users.ts";
import { byId, find, shops } from "./shops.ts";

describe.each(shops)("the business of the %s shop", (size, catalogue, business) => {
  const { orders, orderOffers, waybills, carts, cartOffers, auditLog } = business;

  it("is the same for the same seed only", () => {
    expect(generateBusiness(catalogue, { seed: 20 })).toEqual(business);
    expect(generateBusiness(catalogue, { seed: 21 }).orders).not.toEqual(orders);
  });

  it("has valid ids, each once", () => {
    const known = Object.values(catalogue)
      .flatMap((rows: { id: string }[]) => rows)
      .map(({ id }) => id);
    const rows: { id: string }[] = Object.values(business).flat();
    const ids = [...rows.map(({ id }) => id), ...known];
    for (const id of ids) z.uuid().parse(id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("lies between the opening of the shop and a fixed day", () => {
    const rows: { createdAt: string; updatedAt?: string }[] = Object.values(business).flat();
    for (const { createdAt, updatedAt = createdAt } of rows) {
      z.iso.datetime().parse(createdAt);
      expect(createdAt >= opened && createdAt <= updatedAt && updatedAt <= closed, createdAt).toBe(true);
    }
    const months = new Set(orders.map(({ createdAt }) => createdAt.slice(0, 7)));
    expect(months.size).toBe(7);
  });

  it("has two carts to be ordered and one that was", () => {
    const drafts = carts.filter(({ status }) => status === "DRAFT");
    expect(drafts).toHaveLength(2);
    expect(new Set(drafts.map(({ userId }) => userId)).size).toBe(2);
    const [ordered, ...more] = carts.filter(({ status }) => status === "ORDERED");
    expect(more).toEqual([]);
    const order = find(byId(orders), ordered?.orderId ?? null);
    expect(order.userId).toBe(ordered?.userId);
    const what = (rows: readonly { offerId: string; quantity: number }[]) =>
      rows.map(({ offerId, quantity }) => `${offerId} ${quantity}`).sort();
    expect(what(cartOffers.filter(({ cartId }) => cartId === ordered?.id))).toEqual(
      what(orderOffers.filter(({ orderId }) => orderId === order.id)),
    );
    for (const { id } of carts) expect(cartOffers.some(({ cartId }) => cartId === id)).toBe(true);
  });

  it("has an audit log that the warehouse client can read", () => {
    const staff = new Set(demoUsers.filter(({ role }) => role !== "USER").map(({ id }) => id));
    for (const { userId, method, endpoint, payload } of auditLog) {
      expect(staff.has(userId)).toBe(true);
      z.enum(["POST", "PATCH", "PUT", "DELETE"]).parse(method);
      z.url().parse(endpoint);
      z.record(z.string(), z.unknown()).nullable().parse(payload);
    }
    expect(auditLog.some(({ payload }) => payload === null) && auditLog.some(({ payload }) => payload)).toBe(true);
    expect(auditLog.some(({ status }) => status >= 400)).toBe(true);
    const commits = auditLog.filter(({ endpoint }) => endpoint.endsWith("/commit"));
    expect(commits).toHaveLength(waybills.filter(({ isPending }) => !isPending).length);
  });

  it("keeps old addresses and ids of the former shop", () => {
    expect(catalogue.categories.filter(({ slug }) => slug.endsWith("-ford"))).toHaveLength(21);
    const dashed = catalogue.products.filter(({ bitrixId }) => /^F\d+-\d+$/.test(bitrixId ?? ""));
    expect(dashed.map(({ bitrixId }) => bitrixId)).toContain("F14-1");
    expect(dashed.length).toBeGreaterThan(size === "full" ? 300 : 5);
  });
});
