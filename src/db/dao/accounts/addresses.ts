import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Address } from "../../entities/accounts/address.ts";

/** What a person fills in. */
export type AddressFields = Pick<
  Address,
  "firstName" | "lastName" | "phone" | "city" | "street" | "postalCode" | "shippingMethod" | "shippingCompany"
>;

/** New values of an address; undefined ones stay unchanged. */
export type AddressPatch = { [Key in keyof AddressFields]?: AddressFields[Key] | undefined };

/** Addresses as rows; a missing one is `null`, never an error. A caller that moves the default locks the user's row. */
export const addresses = {
  findById: (tx: EntityManager, id: string) => tx.findOneBy(Address, { id }),

  /** One page, newest first, and the total; two statements. */
  list: (tx: EntityManager, { userId }: { userId?: string | undefined }, page: { limit: number; offset: number }) =>
    tx.findAndCount(Address, {
      where: userId === undefined ? {} : { userId },
      order: { createdAt: "DESC", id: "DESC" },
      take: page.limit,
      skip: page.offset,
    }),

  count: (tx: EntityManager, userId: string) => tx.countBy(Address, { userId }),

  async insert(tx: EntityManager, values: AddressFields & { userId: string; isDefault: boolean }): Promise<string> {
    const row = tx.create(Address, values);
    await tx.insert(Address, row as QueryDeepPartialEntity<Address>);
    return row.id;
  },

  async patch(tx: EntityManager, id: string, change: AddressPatch) {
    await tx.update(Address, { id }, change as QueryDeepPartialEntity<Address>);
  },

  /** Removes the default mark from the user's addresses. */
  async clearDefault(tx: EntityManager, userId: string) {
    await tx.update(Address, { userId, isDefault: true }, { isDefault: false });
  },

  async makeDefault(tx: EntityManager, id: string) {
    await tx.update(Address, { id }, { isDefault: true });
  },

  /** Makes the newest address the default, if there is one. */
  async makeNewestDefault(tx: EntityManager, userId: string) {
    const newest = await tx.findOne(Address, { where: { userId }, order: { createdAt: "DESC", id: "DESC" } });
    if (newest) await addresses.makeDefault(tx, newest.id);
  },

  /** Locks the orders of the address: they lose it when it is deleted, and orders are locked before users. */
  async lockOrders(tx: EntityManager, id: string) {
    await tx.query("SELECT id FROM orders WHERE address_id = $1 ORDER BY id FOR NO KEY UPDATE", [id]);
  },

  async remove(tx: EntityManager, id: string) {
    await tx.delete(Address, { id });
  },
};
