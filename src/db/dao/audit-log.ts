import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { AuditEntry } from "../entities/audit-entry.ts";

export type NewAuditEntry = Pick<AuditEntry, "userId" | "method" | "endpoint" | "payload" | "status" | "requestId">;

/** The audit log as rows; they are only ever added. */
export const auditLog = {
  async insert(tx: EntityManager, entry: NewAuditEntry) {
    await tx.insert(AuditEntry, entry as QueryDeepPartialEntity<AuditEntry>);
  },

  /** One page with who it was, newest first, and how many there are in all; two statements. */
  list: (tx: EntityManager, page: { limit: number; offset: number }) =>
    tx
      .createQueryBuilder(AuditEntry, "entry")
      .innerJoinAndSelect("entry.user", "user")
      .orderBy("entry.created_at", "DESC")
      .addOrderBy("entry.id", "DESC")
      .limit(page.limit)
      .offset(page.offset)
      .getManyAndCount(),
};
