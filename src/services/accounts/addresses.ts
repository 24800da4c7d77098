import type { EntityManager } from "typeorm";
import { type AddressFields, type AddressPatch, addresses } from "../../db/dao/accounts/addresses.ts";
import { users } from "../../db/dao/accounts/users.ts";
import type { Address } from "../../db/entities/accounts/address.ts";
import { ConflictError, NotFoundError, ValidationError } from "../../errors.ts";

/** More addresses of one user are a mistake or an attack. */
const maxAddresses = 50;

/** The user whose addresses a caller may see and change; undefined: every user's. */
export type Owner = string | undefined;

const notFound = () => new NotFoundError("Address not found");

/** An address of the owner; throws the same error when there is none and when it is another user's. */
export async function getAddress(tx: EntityManager, which: { id: string; owner: Owner }): Promise<Address> {
  return (await findAddress(tx, which)) ?? Promise.reject(notFound());
}

async function findAddress(tx: EntityManager, { id, owner }: { id: string; owner: Owner }) {
  const address = await addresses.findById(tx, id);
  return owner === undefined || address?.userId === owner ? address : null;
}

export interface NewAddress {
  userId: string;
  fields: AddressFields;
  isDefault: boolean;
}

/** Saves an address and returns its id; a user's first one is the default. Throws when the user has too many. */
export async function createAddress(tx: EntityManager, { userId, fields, isDefault }: NewAddress): Promise<string> {
  if (!(await users.lock(tx, userId))) throw new NotFoundError("User not found");
  const count = await addresses.count(tx, userId);
  if (count >= maxAddresses)
    throw new ConflictError(`There are ${maxAddresses} addresses already; delete one that is not needed`);
  if (isDefault) await addresses.clearDefault(tx, userId);
  return addresses.insert(tx, { ...fields, userId, isDefault: isDefault || count === 0 });
}

/** Locks an address of the owner, and its user, until the transaction ends; null when there is none. */
export async function lockAddress(tx: EntityManager, which: { id: string; owner: Owner }): Promise<Address | null> {
  const address = await findAddress(tx, which);
  if (!address) return null;
  await users.lock(tx, address.userId);
  // Another transaction that held the user may have changed or deleted it.
  return findAddress(tx, which);
}

/**
 * Gives a locked address new values, or makes it the default; equal values change nothing. Throws when the change would
 * end its being the default, because then no address would be.
 */
export async function changeAddress(
  tx: EntityManager,
  { address, patch, isDefault }: { address: Address; patch: AddressPatch; isDefault?: boolean | undefined },
) {
  if (isDefault === false && address.isDefault) throw needsDefault();
  const isNew = ([key, value]: [string, unknown]) => value !== undefined && address[key as keyof Address] !== value;
  const changed = Object.fromEntries(Object.entries(patch).filter(isNew));
  if (Object.keys(changed).length > 0) await addresses.patch(tx, address.id, changed);
  if (isDefault && !address.isDefault) {
    await addresses.clearDefault(tx, address.userId);
    await addresses.makeDefault(tx, address.id);
  }
}

/** Deletes an address; after the default the newest of the others becomes the default. Throws as `getAddress` does. */
export async function deleteAddress(tx: EntityManager, which: { id: string; owner: Owner }) {
  await getAddress(tx, which);
  await addresses.lockOrders(tx, which.id);
  const address = await lockAddress(tx, which);
  if (!address) throw notFound();
  await addresses.remove(tx, address.id);
  if (address.isDefault) await addresses.makeNewestDefault(tx, address.userId);
}

function needsDefault() {
  const msg = "Value error, one address has to be the default; make another one the default instead";
  return new ValidationError([{ type: "value_error", loc: ["body", "is_default"], msg, input: false }]);
}
