import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { type ClientCall, pathOf, readAs } from "../support/clients/client-call.ts";
import * as examples from "../support/clients/examples.ts";
import { storefrontCalls, storefrontSchemas } from "../support/clients/storefront.ts";
import { warehouseCalls, warehouseSchemas } from "../support/clients/warehouse.ts";

const { category, subCategory, product, offer, user, waybill, orderOffer, waybillOffer } = examples;
const { shopOrder, guestOrder, warehouseOrder, auditEntry, bestSelling, pageWith } = examples;
const { S1, S4, S7, S13, S15, S16, S17, S18 } = storefrontCalls;
const { W1, W6, W9, W16, W19, W20, W24, W27, W31, W34, W38, W39 } = {
  ...warehouseCalls,
  W19: warehouseCalls["W19.all"],
};

const fits = (call: ClientCall, body: unknown) => {
  expect(() => readAs(call, body)).not.toThrow();
};
const breaks = (call: ClientCall, body: unknown, key: string) => {
  expect(() => readAs(call, body)).toThrow(key);
};

describe("the storefront", () => {
  test.each<[string, ClientCall, unknown]>([
    ["a page of categories", S1, pageWith(category)],
    ["an empty page", S1, { ...pageWith(), pages: 0 }],
    ["a page of sub-categories", S4, pageWith(subCategory)],
    ["a page of products", S7, pageWith(product, { ...product, min_price_rub: null, cross_number: null })],
    ["a page of offers", S13, pageWith(offer, { ...offer, quantity: -3, sku: null })],
    ["a customer's order", S16, shopOrder],
    ["a guest's order", S15, guestOrder],
    ["a page of orders", S17, pageWith(shopOrder, guestOrder)],
    ["a user", S18, user],
  ])("reads %s", (_what, call, body) => fits(call, body));

  test.each<[string, ClientCall, unknown, string]>([
    ["an array instead of a page", S1, [category], "expected object"],
    ["the order of the warehouse", S16, warehouseOrder, "at address"],
    ["an order sent with OTHER", S16, { ...shopOrder, shipping_method: "OTHER" }, "at shipping_method"],
    ["a user who likes OTHER", S18, { ...user, shipping_method: "OTHER" }, "at shipping_method"],
    ["an order of such a user", S16, { ...shopOrder, user: { ...user, shipping_method: "OTHER" } }, "at user.ship"],
    ["an author who likes OTHER", S16, withAuthor({ shipping_method: "OTHER" }), "at waybill.author.shipping_method"],
    ["a country out of its list", S16, { ...shopOrder, country: "UKR" }, "at country"],
    ["a carrier out of its list", S16, { ...shopOrder, shipping_company: "Boxberry" }, "at shipping_company"],
    ["a fractional total", S16, { ...shopOrder, total_sum: 2700.5 }, "at total_sum"],
    ["a negative total", S16, { ...shopOrder, total_sum: -1 }, "at total_sum"],
    ["a total in a string", S16, { ...shopOrder, total_sum: "2700" }, "at total_sum"],
    ["a line with nothing", S16, { ...shopOrder, order_offers: [{ ...orderOffer, quantity: 0 }] }, "].quantity"],
    ["a negative price", S13, pageWith({ ...offer, price_rub: -5 }), "].price_rub"],
    ["a price in a string", S13, pageWith({ ...offer, price_rub: "1500" }), "].price_rub"],
    ["an empty brand", S13, pageWith({ ...offer, brand: "" }), "].brand"],
    ["half a piece", S13, pageWith({ ...offer, quantity: 0.5 }), "].quantity"],
    [
      "a nested product without its sums",
      S13,
      pageWith({ ...offer, product: without(product, "total_quantity") }),
      "].product.total_quantity",
    ],
    ["a product without its lowest price", S7, pageWith(without(product, "min_price_rub")), "].min_price_rub"],
    ["a category without created_at", S1, pageWith(without(category, "created_at")), "].created_at"],
    ["a category without a picture", S1, pageWith({ ...category, image_url: null }), "].image_url"],
    ["a relative picture", S1, pageWith({ ...category, image_url: "/images/a.webp" }), "].image_url"],
    ["a made-up UUID", S1, pageWith({ ...category, id: "11111111-1111-1111-1111-111111111111" }), "].id"],
    ["a UUID without dashes", S1, pageWith({ ...category, id: category.id.replaceAll("-", "") }), "].id"],
    ["a user without a balance", S18, without(user, "balance_try"), "at balance_try"],
    ["an e-mail without a top-level domain", S18, { ...user, email: "a@localhost" }, "at email"],
    ["an e-mail with a top-level domain of one letter", S18, { ...user, email: "a@b.c" }, "at email"],
    ["an e-mail in Cyrillic", S18, { ...user, email: "иван@почта.рф" }, "at email"],
  ])("breaks on %s", (_what, call, body, key) => breaks(call, body, key));

  test("has no use for address_id, sku of the shelf and other keys it does not know", () => {
    expect(readAs(S13, pageWith(offer)).items[0]).not.toHaveProperty("address_id");
    expect(readAs(S16, shopOrder)).not.toHaveProperty("street");
  });
});

describe("the warehouse", () => {
  test.each<[string, ClientCall, unknown]>([
    ["an array of categories", W1, [category]],
    ["an array of sub-categories", W6, [subCategory]],
    ["a page of products", W9, pageWith(product, { ...product, cross_number: null, slug: null })],
    ["an offer", W16, { ...offer, address_id: null }],
    ["an order", W20, warehouseOrder],
    ["a page of orders", W19, pageWith(warehouseOrder)],
    ["a user who likes OTHER", W31, { ...user, shipping_method: "OTHER" }],
    ["a user without the foreign balances", W31, without(user, "balance_usd")],
    ["a waybill of an order", W24, waybill],
    ["a waybill without a customer", W34, { ...waybill, order_id: null, customer_id: null }],
    ["an order line", W27, orderOffer],
    ["a waybill line", warehouseCalls["W37.add"], waybillOffer],
    ["a made-up UUID", W1, [{ ...category, id: "11111111-1111-1111-1111-111111111111" }]],
    ["what sold best", W38, [bestSelling]],
    ["a page of the audit log", W39, pageWith(auditEntry, { ...auditEntry, payload: null })],
  ])("reads %s", (_what, call, body) => fits(call, body));

  test.each<[string, ClientCall, unknown, string]>([
    ["a page instead of an array", W1, pageWith(category), "expected array"],
    ["a page of sub-categories", W6, pageWith(subCategory), "expected array"],
    ["the order of the shop", W20, shopOrder, "at address"],
    ["an order without a user", W20, { ...warehouseOrder, user: null }, "at user"],
    ["an order without address_id", W20, { ...warehouseOrder, address_id: null }, "at address_id"],
    ["an address without a phone", W20, withAddress({ phone: "" }), "at address.phone"],
    ["an address without a city", W20, withAddress({ city: null }), "at address.city"],
    ["an address without a user", W20, withAddress({ user_id: null }), "at address.user_id"],
    ["a fractional total", W20, { ...warehouseOrder, total_sum: 2700.5 }, "at total_sum"],
    ["an offer without its shelf", W16, without(offer, "address_id"), "at address_id"],
    ["a price in a string", W16, { ...offer, wholesale_price_rub: "1350.0000" }, "at wholesale_price_rub"],
    ["a negative price", W16, { ...offer, super_wholesale_price_rub: -1 }, "at super_wholesale_price_rub"],
    ["a user without clerk_id", W31, { ...user, clerk_id: null }, "at clerk_id"],
    ["a waybill without a customer", W34, { ...waybill, customer: null }, "at customer"],
    ["a relative picture", W1, [{ ...category, image_url: "images/a.webp" }], "[0].image_url"],
    ["a UUID without dashes", W1, [{ ...category, id: category.id.replaceAll("-", "") }], "[0].id"],
    ["an array in the audit log", W39, pageWith({ ...auditEntry, payload: [1] }), "].payload"],
    ["a path in the audit log", W39, pageWith({ ...auditEntry, endpoint: "/orders" }), "].endpoint"],
    ["HEAD in the audit log", W39, pageWith({ ...auditEntry, method: "HEAD" }), "].method"],
    ["what did not sell", W38, [{ ...bestSelling, sold: 0 }], "[0].sold"],
    ["what was given away", W38, [{ ...bestSelling, revenue: 0 }], "[0].revenue"],
  ])("breaks on %s", (_what, call, body, key) => breaks(call, body, key));
});

describe("both", () => {
  const moments = ["2026-01-15T09:30:00+00:00", "2026-01-15T09:30:00", "2026-01-15 09:30:00Z", "2026-01-15", 1, null];

  test.each(moments)("break on the moment %j", (created_at) => {
    breaks(S16, { ...shopOrder, created_at }, "at created_at");
    breaks(W20, { ...warehouseOrder, created_at }, "at created_at");
  });

  test.each(["2026-01-15T09:30:00Z", "2026-11-22T19:30:19.645975Z"])("read the moment %s", (updated_at) => {
    fits(S16, { ...shopOrder, updated_at });
    fits(W20, { ...warehouseOrder, updated_at });
  });

  test.each([{ total: -1 }, { page: 0 }, { size: 0 }, { pages: -1 }, { total: "1" }, { pages: undefined }])(
    "break on a page with %j",
    (wrong) => {
      const [key = ""] = Object.keys(wrong);
      breaks(S7, { ...pageWith(), ...wrong }, `at ${key}`);
      breaks(W9, { ...pageWith(), ...wrong }, `at ${key}`);
    },
  );

  test("read the building blocks that they share", () => {
    for (const { Count, OrderOffer, Waybill } of [storefrontSchemas, warehouseSchemas]) {
      expect(Count.safeParse({ count: 0 }).success).toBe(true);
      expect(Count.safeParse({ count: -1 }).success).toBe(false);
      expect(OrderOffer.safeParse(orderOffer).success).toBe(true);
      expect(Waybill.safeParse(waybill).success).toBe(true);
    }
  });

  test("are covered call by call: 1 to 20 of the storefront, 1 to 39 of the warehouse", () => {
    const numbers = (calls: object, letter: string) =>
      new Set(Object.keys(calls).map((name) => Number(name.replace(letter, "").split(".")[0])));
    expect(numbers(storefrontCalls, "S")).toEqual(new Set(Array.from({ length: 20 }, (_, n) => n + 1)));
    expect(numbers(warehouseCalls, "W")).toEqual(new Set(Array.from({ length: 39 }, (_, n) => n + 1)));
  });

  test("fill in what a call needs, encoded, and do not go without", () => {
    expect(pathOf(storefrontCalls.S2, { slug: "a/b" })).toBe("/categories/slug/a%2Fb");
    expect(() => pathOf(storefrontCalls.S2)).toThrow("'slug'");
  });
});

describe("the rules of zod 3, written in zod 4", () => {
  const texts = [
    ...[
      "11111111-1111-1111-1111-111111111111",
      "6A0B7E0E-3C1D-4F6A-9B0E-2D4C5E6F7A81",
      "6a0b7e0e3c1d4f6a9b0e2d4c5e6f7a81",
    ],
    ...["{6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81}", "00000000-0000-0000-0000-000000000000", "x", ""],
    ...["2026-01-15T09:30:00Z", "2026-01-15T09:30:00.1Z", "2026-01-15T09:30:00+00:00", "2026-01-15T09:30:00"],
    ...["2026-01-15 09:30:00Z", "2026-02-30T00:00:00Z", "2026-01-15T24:00:00Z", "2026-01-15t09:30:00z", "2026-01-15"],
    ...["a@example.com", "a@localhost", "a@b.c", "иван@почта.рф", "a b@example.com", "a..b@example.com", "a+b@e-x.co"],
    ...["https://storage.test/a.webp", "/a.webp", "a.webp", "//storage.test/a", "https://", "ftp://storage.test/a"],
  ];

  test.each<[string, z.ZodType, z3.ZodTypeAny]>([
    ["ids", z.guid(), z3.string().uuid()],
    ["moments", z.iso.datetime(), z3.string().datetime()],
    ["e-mail addresses", z.email(), z3.string().email()],
    ["addresses of pictures", z.url(), z3.string().url()],
  ])("are the same for %s", (_what, ours, theirs) => {
    for (const text of texts)
      expect([text, ours.safeParse(text).success]).toEqual([text, theirs.safeParse(text).success]);
  });
});

function without<T extends object>(whole: T, key: keyof T) {
  const { [key]: _left, ...rest } = whole;
  return rest;
}

function withAuthor(change: object) {
  return { ...shopOrder, waybill: { ...waybill, author: { ...user, ...change } } };
}

function withAddress(change: object) {
  return { ...warehouseOrder, address: { ...warehouseOrder.address, ...change } };
}
