import type { EntityManager, SelectQueryBuilder } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { Waybill, type WaybillType } from "../../entities/stock/waybill.ts";
import { containing } from "../../like.ts";

export interface WaybillFilter {
  waybillType?: WaybillType | undefined;
  isPending?: boolean | undefined;
  /** Text in the note, or in what identifies the author or the customer. */
  term?: string | undefined;
}

export type NewWaybillRow = Pick<Waybill, "authorId" | "customerId" | "orderId" | "waybillType" | "note">;
export type WaybillRowChange = Partial<Pick<Waybill, "customerId" | "orderId" | "waybillType" | "note">>;

const searched = [
  ...["author", "customer"].flatMap((who) => ["email", "firstName", "lastName", "phone"].map((key) => `${who}.${key}`)),
  "waybill.note",
];

const withPeople = (tx: EntityManager) =>
  tx
    .createQueryBuilder(Waybill, "waybill")
    .innerJoinAndSelect("waybill.author", "author")
    .innerJoinAndSelect("waybill.customer", "customer");

function filtered(query: SelectQueryBuilder<Waybill>, { waybillType, isPending, term }: WaybillFilter) {
  if (waybillType) query.andWhere("waybill.waybillType = :waybillType", { waybillType });
  if (isPending !== undefined) query.andWhere("waybill.isPending = :isPending", { isPending });
  if (term) {
    const anywhere = searched.map((column) => `${column} ILIKE :term`).join(" OR ");
    query.andWhere(`(${anywhere})`, { term: containing(term) });
  }
  return query;
}

/** Waybills as rows; a missing one is `null` or `false`, never an error. */
export const waybills = {
  /** With author and customer. */
  findById: (tx: EntityManager, id: string) => withPeople(tx).where("waybill.id = :id", { id }).getOne(),

  findByOrder: (tx: EntityManager, orderId: string) => tx.findOneBy(Waybill, { orderId }),

  /** One page, the newest first, and the total; two statements. */
  async list(tx: EntityManager, filter: WaybillFilter, page: { limit: number; offset: number }) {
    const rows = await filtered(withPeople(tx), filter)
      .orderBy("waybill.createdAt", "DESC")
      .addOrderBy("waybill.id", "DESC")
      .limit(page.limit)
      .offset(page.offset)
      .getMany();
    return [rows, await waybills.count(tx, filter)] as const;
  },

  async count(tx: EntityManager, filter: WaybillFilter) {
    const query = tx.createQueryBuilder(Waybill, "waybill").select("count(*)::int", "count");
    if (filter.term) query.innerJoin("waybill.author", "author").innerJoin("waybill.customer", "customer");
    const row = await filtered(query, filter).getRawOne<{ count: number }>();
    return row?.count ?? 0;
  },

  /** Reads it before the lock: its order has to be locked first. */
  findWithoutLock: (tx: EntityManager, id: string) =>
    tx.findOne(Waybill, { where: { id }, select: { id: true, orderId: true, isPending: true } }),

  /** Locks the waybill until the transaction ends; needed to change it or its lines. */
  lock: (tx: EntityManager, id: string) => tx.findOne(Waybill, { where: { id }, lock: { mode: "pessimistic_write" } }),

  async insert(tx: EntityManager, values: NewWaybillRow) {
    const row = tx.create(Waybill, values);
    await tx.insert(Waybill, row as QueryDeepPartialEntity<Waybill>);
    return row.id;
  },

  async patch(tx: EntityManager, id: string, change: WaybillRowChange) {
    await tx.update(Waybill, { id }, change);
  },

  async markCommitted(tx: EntityManager, id: string, committedBy: string) {
    await tx.update(Waybill, { id }, { isPending: false, committedBy, committedAt: () => "now()" });
  },

  /** Deletes its lines as well. */
  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(Waybill, { id })).affected === 1;
  },
};
