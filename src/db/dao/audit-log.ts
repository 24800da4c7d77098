import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { AuditEntry } from "../entities/audit-entry.ts";

export type NewAuditEntry = Pick<AuditEntry, "userId" | "method" | "endpoint" | "payload" | "status" | "requestId">;

/** The end of the chain of audited actions: how many there are, and the hash that covers them all, in hexadecimal. */
export interface ChainLink {
  no: string;
  hash: string;
}

/** The audit log as rows; they are only ever added. */
export const auditLog = {
  async insert(tx: EntityManager, entry: NewAuditEntry) {
    await tx.insert(AuditEntry, entry as QueryDeepPartialEntity<AuditEntry>);
  },

  /** Adds a link to the chain; transactions that do so go on one after the other. */
  async append(tx: EntityManager, { userId, method, endpoint, payload, status, requestId }: NewAuditEntry) {
    await tx.query("SELECT pg_advisory_xact_lock(hashtext('audit chain'))");
    const [link]: ChainLink[] = await tx.query(
      `WITH last AS (SELECT chain_no, chain_hash FROM audit_log WHERE chain_no IS NOT NULL ORDER BY chain_no DESC LIMIT 1),
       entry AS (
         SELECT gen_random_uuid() AS id, $1::uuid AS user_id, $2::text AS method, $3::text AS endpoint,
           $4::jsonb AS payload, $5::integer AS status, $6::text AS request_id, clock_timestamp() AS created_at,
           coalesce((SELECT chain_no FROM last), 0) + 1 AS chain_no)
       INSERT INTO audit_log (id, user_id, method, endpoint, payload, status, request_id, created_at, updated_at,
                              chain_no, chain_hash)
       SELECT id, user_id, method, endpoint, payload, status, request_id, created_at, created_at, chain_no,
         audit_link(jsonb_populate_record(NULL::audit_log, to_jsonb(entry)), coalesce((SELECT chain_hash FROM last), ''))
       FROM entry RETURNING chain_no::text AS no, encode(chain_hash, 'hex') AS hash`,
      [userId, method, endpoint, JSON.stringify(payload), status, requestId],
    );
    return link as ChainLink;
  },

  /** The first link that is not what was written, or that follows a gap; undefined for a chain that is whole. */
  async firstBroken(tx: EntityManager): Promise<{ no: string; id: string } | undefined> {
    const [row]: { no: string; id: string }[] = await tx.query(
      `SELECT entry.chain_no::text AS no, entry.id FROM audit_log entry
       LEFT JOIN audit_log before ON before.chain_no = entry.chain_no - 1
       WHERE entry.chain_no IS NOT NULL AND (
         entry.chain_hash <> audit_link(entry, coalesce(before.chain_hash, ''))
         OR before.id IS NULL AND entry.chain_no > 1)
       ORDER BY entry.chain_no LIMIT 1`,
    );
    return row;
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
