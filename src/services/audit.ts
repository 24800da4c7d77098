import type { EntityManager } from "typeorm";
import { auditLog, type NewAuditEntry } from "../db/dao/audit-log.ts";
import type { Transact } from "../db/transaction.ts";
import { withoutSecrets } from "./without-secrets.ts";

/**
 * Enters one change that staff made or tried to make; a list as payload is wrapped, as the wire contract wants it, and
 * what looks like a secret or like data of a card is left out.
 */
export function recordAudit(tx: EntityManager, entry: Omit<NewAuditEntry, "payload"> & { payload: unknown }) {
  return auditLog.insert(tx, { ...entry, payload: storable(asObject(withoutSecrets(entry.payload))) });
}

/**
 * As `recordAudit`, as a link of the chain that shows whether somebody has edited the log since; returns the link,
 * which should be kept where whoever can write to the database cannot.
 */
export function recordChained(transact: Transact, entry: Omit<NewAuditEntry, "payload"> & { payload: unknown }) {
  return transact({ actorId: entry.userId, traceId: entry.requestId }, (tx) => appendAudit(tx, entry));
}

/** As `recordChained`, in a transaction that does what is entered; others that do so wait until it is over. */
export function appendAudit(tx: EntityManager, entry: Omit<NewAuditEntry, "payload"> & { payload: unknown }) {
  return auditLog.append(tx, { ...entry, payload: storable(asObject(withoutSecrets(entry.payload))) });
}

/** Longer ones say no more about what was done. */
const longestPayload = 100_000;

/** Postgres' jsonb knows neither U+0000 nor half a surrogate pair, and nobody may fill the log up. */
function storable(payload: Record<string, unknown> | null) {
  if (payload === null) return null;
  const text = JSON.stringify(payload);
  if (text.length > longestPayload) return { left_out: `${text.length} characters` };
  return JSON.parse(
    text.replace(/\\(\\|u(?:0000|d[89a-f][0-9a-f]{2}))/gi, (found, code) => (code === "\\" ? found : "\ufffd")),
  ) as Record<string, unknown>;
}

function asObject(payload: unknown): Record<string, unknown> | null {
  if (Array.isArray(payload)) return { items: payload };
  return typeof payload === "object" ? (payload as Record<string, unknown> | null) : null;
}
