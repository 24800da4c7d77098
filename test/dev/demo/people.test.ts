import { isValidPhoneNumber } from "libphonenumber-js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { warehouseAddressId } from "../../../dev/demo/business/addresses.ts";
import { demoUsers } from "../../../dev/demo/users.ts";
import { customerTypes } from "../../../src/db/entities/accounts/user.ts";
import { groups } from "../../support/groups.ts";
import { byId, find, shops } from "./shops.ts";

const employee = demoUsers.find(({ role }) => role === "EMPLOYEE")?.id;
const text = z.string().trim().min(1);
const phone = z
  .string()
  .regex(/^\+\d+$/)
  .refine((value) => isValidPhoneNumber(value));

describe.each(shops)("the people of the %s shop", (_size, _catalogue, business) => {
  const { users, addresses, orders } = business;
  const customers = users.filter(({ id }) => !demoUsers.some((user) => user.id === id));

  it("has about thirty customers of all types beside the demo users", () => {
    expect(customers.length).toBeGreaterThanOrEqual(30);
    expect(new Set(customers.map(({ customerType }) => customerType))).toEqual(new Set(customerTypes));
    expect(customers.filter(({ isActive }) => !isActive)).toHaveLength(1);
    expect(customers.filter(({ clerkId }) => clerkId)).toHaveLength(1);
    const mailing = customers.filter((customer) => customer.mailing).length;
    expect(mailing > 0 && mailing < customers.length).toBe(true);
    expect(new Set(users.map(({ email }) => email.toLowerCase())).size).toBe(users.length);
    const clerkIds = users.flatMap(({ clerkId }) => clerkId ?? []);
    expect(new Set(clerkIds).size).toBe(clerkIds.length);
  });

  it("has no user whom a strict client would refuse", () => {
    for (const user of users) {
      z.email().parse(user.email);
      expect(user.email).toMatch(/@example\.com$/);
      z.object({ firstName: text, lastName: text, phone, city: text }).parse(user);
    }
    for (const order of orders) {
      z.object({ firstName: text, lastName: text, email: z.email(), phone }).parse(order);
    }
  });

  it("has one default for everybody with addresses, and the address that the warehouse client names", () => {
    for (const own of groups(addresses, ({ userId }) => userId)) {
      expect(own.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    }
    expect(new Set(addresses.map(({ userId }) => userId)).size).toBeGreaterThan(10);
    expect(find(byId(addresses), warehouseAddressId).userId).toBe(employee);
    expect(warehouseAddressId).toBe("356f1d6f-0514-4e40-aad5-d59b91674320");
    for (const address of addresses) {
      z.object({ firstName: text, lastName: text, phone, city: text, street: text, postalCode: text }).parse(address);
    }
  });
});
