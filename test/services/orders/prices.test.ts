import { expect, test } from "vitest";
import { priceRubFor, wholesalePriceRub } from "../../../src/services/orders/prices.ts";

test.each([
  [717, 573, 645],
  [100, 51, 76],
  [100, 53, 77],
  [1, 0, 1],
  [0, 0, 0],
])("between %d and %d the wholesale price is %d", (priceRub, superWholesalePriceRub, wholesale) => {
  expect(wholesalePriceRub({ priceRub, superWholesalePriceRub })).toBe(wholesale);
});

test.each([
  ["USER_RETAIL", 100],
  ["USER_WHOLESALE", 77],
  ["USER_SUPER_WHOLESALE", 53],
] as const)("%s pays %d of 100 and 53", (customerType, price) => {
  expect(priceRubFor(customerType, { priceRub: 100, superWholesalePriceRub: 53 })).toBe(price);
});
