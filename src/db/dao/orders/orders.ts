import type { EntityManager, SelectQueryBuilder } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Address } from "../../entities/accounts/address.ts";
import { Order, type OrderStatus } from "../../entities/orders/order.ts";
import { Waybill } from "../../entities/stock/waybill.ts";
import { containing } from "../../like.ts";

export interface OrderFilter {
  userId?: string | undefined;
  status?: OrderStatus | undefined;
  /** Text in the note, or in what identifies the account or the contact. */
  term?: string | undefined;
}

/** The fields of an order that can be changed. */
export type OrderFields = Pick<
  Order,
  | "status"
  | "note"
  | "country"
  | "city"
  | "address"
  | "street"
  | "house"
  | "postalCode"
  | "shippingMethod"
  | "shippingCompany"
  | "firstName"
  | "lastName"
  | "email"
  | "phone"
>;
export type NewOrderRow = OrderFields & Pick<Order, "userId" | "addressId"> & Partial<Pick<Order, "byGuest">>;

const searched = [
  ...["user", "o"].flatMap((who) => ["email", "firstName", "lastName", "phone"].map((key) => `${who}.${key}`)),
  "o.note",
];

const withPeople = (tx: EntityManager) =>
  tx
    .createQueryBuilder(Order, "o")
    .leftJoinAndSelect("o.user", "user")
    .leftJoinAndSelect("o.storedAddress", "storedAddress");

function filtered(query: SelectQueryBuilder<Order>, { userId, status, term }: OrderFilter) {
  if (userId) query.andWhere("o.userId = :userId", { userId });
  if (status) query.andWhere("o.status = :status", { status });
  if (term) {
    const anywhere = searched.map((column) => `${column} ILIKE :term`).join(" OR ");
    query.andWhere(`(${anywhere})`, { term: containing(term) });
  }
  return query;
}

/** Orders as rows; a missing one is `null` or `false`, never an error. */
export const orders = {
  /** With its account and its stored address. */
  findById: (tx: EntityManager, id: string) => withPeople(tx).where("o.id = :id", { id }).getOne(),

  /** One page, the newest first, and the total; two statements. */
  async list(tx: EntityManager, filter: OrderFilter, page: { limit: number; offset: number }) {
    const rows = await filtered(withPeople(tx), filter)
      .orderBy("o.createdAt", "DESC")
      .addOrderBy("o.id", "DESC")
      .limit(page.limit)
      .offset(page.offset)
      .getMany();
    return [rows, await orders.count(tx, filter)] as const;
  },

  async count(tx: EntityManager, filter: OrderFilter) {
    const query = tx.createQueryBuilder(Order, "o").select("count(*)::int", "count");
    if (filter.term) query.leftJoin("o.user", "user");
    return (await filtered(query, filter).getRawOne<{ count: number }>())?.count ?? 0;
  },

  /** Locks the order until the transaction ends; needed to change its lines or to take money for it. */
  lock: (tx: EntityManager, id: string) => tx.findOne(Order, { where: { id }, lock: { mode: "pessimistic_write" } }),

  address: (tx: EntityManager, id: string) => tx.findOneBy(Address, { id }),

  /** Their waybills, the newest of an order last, with author and customer. */
  waybills: (tx: EntityManager, orderIds: readonly string[]) =>
    tx
      .createQueryBuilder(Waybill, "waybill")
      .innerJoinAndSelect("waybill.author", "author")
      .innerJoinAndSelect("waybill.customer", "customer")
      .where("waybill.order_id = ANY(:orderIds)", { orderIds })
      .orderBy("waybill.createdAt", "ASC")
      .addOrderBy("waybill.id", "ASC")
      .getMany(),

  async insert(tx: EntityManager, values: NewOrderRow) {
    const row = tx.create(Order, values);
    await tx.insert(Order, row as QueryDeepPartialEntity<Order>);
    return row.id;
  },

  async patch(tx: EntityManager, id: string, change: Partial<OrderFields>) {
    await tx.update(Order, { id }, change);
  },

  /** Marks the order as changed, because its lines have. */
  async touch(tx: EntityManager, id: string) {
    await tx.update(Order, { id }, { updatedAt: () => "now()" });
  },

  /** Deletes its lines as well. */
  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(Order, { id })).affected === 1;
  },
};
