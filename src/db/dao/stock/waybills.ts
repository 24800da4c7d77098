import type { EntityManager, SelectQueryBuilder } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { businessTimeZone } from "../../../jobs/schedules.ts";
import { waitForLockOn } from "../../../platform/postgres/locks.ts";
import { Waybill, type WaybillType } from "../../entities/stock/waybill.ts";
import { containing } from "../../like.ts";

export interface WaybillFilter {
  waybillType?: WaybillType | undefined;
  isPending?: boolean | undefined;
  /** Text in the note, or in what identifies the author or the customer. */
  term?: string | undefined;
}

export type NewWaybillRow = Pick<Waybill, "authorId" | "customerId" | "orderId" | "waybillType" | "note"> &
  Partial<Pick<Waybill, "returnOf">>;
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

/** The time is read after the wait for the number, so that later numbers have later times, also around New Year. */
const commitSql = `
  WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
  this AS (SELECT at, extract(year FROM at AT TIME ZONE $4)::integer AS year FROM clock)
  UPDATE waybills SET is_pending = false, committed_by = $2, committed_at = this.at, paper_year = this.year,
    paper_number = 1 + coalesce((SELECT max(paper_number) FROM waybills
                                 WHERE waybill_type = $3 AND paper_year = this.year), 0)
  FROM this WHERE id = $1`;

/** Waybills as rows; a missing one is `null` or `false`, never an error. */
export const waybills = {
  /** With author and customer. */
  findById: (tx: EntityManager, id: string) => withPeople(tx).where("waybill.id = :id", { id }).getOne(),

  /** Those of an order, the oldest first. */
  ofOrder: (tx: EntityManager, orderId: string) =>
    tx.find(Waybill, { where: { orderId }, order: { createdAt: "ASC", id: "ASC" } }),

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

  /** Reads it before the lock: its order, or the delivery that it returns, has to be locked first. */
  findWithoutLock: (tx: EntityManager, id: string) =>
    tx.findOne(Waybill, {
      where: { id },
      select: { id: true, orderId: true, returnOf: true, authorId: true, customerId: true, isPending: true },
    }),

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

  /**
   * Marks it as committed and gives it the next number of its type and year; a number is never left out, so commits of
   * one type wait for each other from here until they end.
   */
  async markCommitted(tx: EntityManager, { id, waybillType }: Waybill, committedBy: string) {
    await waitForLockOn(tx, JSON.stringify(["numbers", waybillType]));
    await tx.query(commitSql, [id, committedBy, waybillType, businessTimeZone]);
  },

  /** Deletes its lines as well. */
  async remove(tx: EntityManager, id: string) {
    return (await tx.delete(Waybill, { id })).affected === 1;
  },
};
