import type { EntityManager } from "typeorm";
import { auditLog, type NewAuditEntry } from "../db/dao/audit-log.ts";

/** Enters one change that staff made or tried to make; a list as payload is wrapped, as the wire contract wants it. */
export function recordAudit(tx: EntityManager, entry: Omit<NewAuditEntry, "payload"> & { payload: unknown }) {
  return auditLog.insert(tx, { ...entry, payload: asObject(entry.payload) });
}

function asObject(payload: unknown): Record<string, unknown> | null {
  if (Array.isArray(payload)) return { items: payload };
  return typeof payload === "object" ? (payload as Record<string, unknown> | null) : null;
}
