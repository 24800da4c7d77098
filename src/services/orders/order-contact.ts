import type { EntityManager } from "typeorm";
import { type OrderFields, orders } from "../../db/dao/orders/orders.ts";
import type { Address } from "../../db/entities/accounts/address.ts";
import type { User } from "../../db/entities/accounts/user.ts";

/** The customer of an order and its destination. */
export type OrderContact = Omit<OrderFields, "status" | "note">;

type Person = "shippingMethod" | "firstName" | "lastName" | "email" | "phone";

/** The required data are given, or come from a stored address and the caller's account. */
export type RequestedContact =
  | (Pick<OrderContact, Person> & Partial<OrderContact>)
  | (Partial<OrderContact> & { addressId: string });

const nowhere = { country: null, city: null, address: null, street: null, house: null, postalCode: null };

/**
 * The contact and the shipping of an order, and the stored address that they come from. An address that is unknown, or
 * that a customer has no right to, counts as none: the warehouse always names the same one.
 */
export async function contactOf(
  tx: EntityManager,
  { requested, caller }: { requested: RequestedContact; caller: User | null },
): Promise<OrderContact & { addressId: string | null }> {
  if (!("addressId" in requested)) return { ...nowhere, shippingCompany: null, ...requested, addressId: null };
  if (!caller) throw new Error("Only a caller with an account can use a stored address as the contact");
  const { addressId, ...given } = requested;
  const stored = await orders.address(tx, addressId);
  const address = stored && (caller.role !== "USER" || stored.userId === caller.id) ? stored : null;
  return {
    ...fromAccount(caller),
    ...(address && fromAddress(address)),
    ...present(given),
    addressId: address?.id ?? null,
  };
}

function fromAccount(user: User): OrderContact {
  return {
    ...nowhere,
    city: user.city,
    shippingMethod: user.shippingMethod ?? "OTHER",
    shippingCompany: user.shippingCompany,
    firstName: user.firstName,
    lastName: user.lastName,
    email: user.email,
    phone: user.phone || "—",
  };
}

function fromAddress(address: Address): Partial<OrderContact> {
  const { city, street, postalCode, shippingMethod, shippingCompany, firstName, lastName, phone } = address;
  return { city, street, postalCode, shippingMethod, shippingCompany, firstName, lastName, ...(phone && { phone }) };
}

/** The fields that were sent, except nulls. */
function present(given: Partial<OrderContact>): Partial<OrderContact> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null));
}
