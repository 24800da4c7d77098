import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { AuditEntry } from "../entities/audit-entry.ts";

export type NewAuditEntry = Pick<AuditEntry, "userId" | "method" | "endpoint" | "payload" | "status" | "requestId">;

export const auditLog = {
  async insert(tx: EntityManager, entry: NewAuditEntry) {
    await tx.insert(AuditEntry, entry as QueryDeepPartialEntity<AuditEntry>);
  },
};
