import type { EntityManager } from "typeorm";
import type { QueryDeepPartialEntity } from "typeorm/query-builder/QueryPartialEntity.js";
import { waitForLock } from "../../../platform/postgres/locks.ts";
import { AuditEntry } from "../../entities/audit/audit-entry.ts";

export type NewAuditEntry = Pick<AuditEntry, "userId" | "method" | "endpoint" | "payload" | "status" | "requestId">;

/** The end of the chain of audited actions: their number, and the hash that covers them all, in hexadecimal. */
export interface ChainLink {
  no: string;
  hash: string;
}

/** Transactions that add links, or erase content of links, run one at a time. */
const lockChain = (tx: EntityManager) => waitForLock(tx, "auditChain");

/** SQL of the predecessor of the link `entry`: another link, or the anchor where the chain was cut. */
const withBefore = `
  LEFT JOIN audit_log before ON before.chain_no = entry.chain_no - 1
  LEFT JOIN audit_anchor anchor ON anchor.chain_no = entry.chain_no - 1`;
const hashBefore = "coalesce(before.chain_hash, anchor.chain_hash, '')";

/** SQL of an address without its query and without parts that are neither words nor ids: an e-mail, for example. */
const erasedEndpoint = `regexp_replace(regexp_replace(endpoint, '\\?.*$', ''), '[^/]*[@%+][^/]*', 'erased', 'g')`;

/** The audit log as rows. Rows are only added; an erasure may change them, and only the retention removes them. */
export const auditLog = {
  async insert(tx: EntityManager, entry: NewAuditEntry) {
    await tx.insert(AuditEntry, entry as QueryDeepPartialEntity<AuditEntry>);
  },

  /** Adds a link to the chain; such transactions run one at a time. */
  async append(tx: EntityManager, { userId, method, endpoint, payload, status, requestId }: NewAuditEntry) {
    await lockChain(tx);
    const [link]: ChainLink[] = await tx.query(
      `WITH last AS (SELECT chain_no, chain_hash FROM audit_log WHERE chain_no IS NOT NULL ORDER BY chain_no DESC LIMIT 1),
       entry AS (
         SELECT gen_random_uuid() AS id, $1::uuid AS user_id, $2::text AS method, $3::text AS endpoint,
           $4::jsonb AS payload, $5::integer AS status, $6::text AS request_id, clock_timestamp() AS created_at,
           coalesce((SELECT chain_no FROM last), 0) + 1 AS chain_no, uuid_send(gen_random_uuid()) AS chain_salt)
       INSERT INTO audit_log (id, user_id, method, endpoint, payload, status, request_id, created_at, updated_at,
                              chain_no, chain_salt, chain_hash)
       SELECT id, user_id, method, endpoint, payload, status, request_id, created_at, created_at, chain_no, chain_salt,
         audit_link(jsonb_populate_record(NULL::audit_log, to_jsonb(entry)), coalesce((SELECT chain_hash FROM last), ''))
       FROM entry RETURNING chain_no::text AS no, encode(chain_hash, 'hex') AS hash`,
      [userId, method, endpoint, JSON.stringify(payload), status, requestId],
    );
    return link as ChainLink;
  },

  /**
   * The first link that follows a gap, or that is neither as written nor as a later link says an erasure has left it;
   * undefined for a chain that is whole from its first link, or from where `removeOldest` has cut it.
   */
  async firstBroken(tx: EntityManager): Promise<{ no: string; id: string } | undefined> {
    const [row]: { no: string; id: string }[] = await tx.query(
      `WITH erased AS (
         SELECT link.key AS no, link.value AS hash FROM audit_log,
           jsonb_each_text(CASE jsonb_typeof(payload -> 'erased_links') WHEN 'object' THEN payload -> 'erased_links' END) link
         WHERE chain_no IS NOT NULL AND payload ? 'erased_links'
       ), links AS (
         SELECT entry.*, audit_link(entry, ${hashBefore}) AS link,
           before.id IS NULL AND anchor.chain_no IS NULL AND entry.chain_no > 1 AS is_after_gap
         FROM audit_log entry ${withBefore} WHERE entry.chain_no IS NOT NULL
       )
       SELECT chain_no::text AS no, id FROM links
       WHERE is_after_gap OR chain_hash <> link AND (
         payload IS DISTINCT FROM without_person(payload)
         OR NOT EXISTS (SELECT 1 FROM erased WHERE erased.no = chain_no::text AND erased.hash = encode(link, 'hex')))
       ORDER BY links.chain_no LIMIT 1`,
    );
    return row;
  },

  /**
   * Removes personal data from rows, except from links of erasures, which have none. For rows that are links it adds
   * the link `note`, which proves what is left of them. Returns the number of changed rows, and that link; may be
   * repeated.
   */
  async eraseContent(
    tx: EntityManager,
    ids: readonly string[],
    note: NewAuditEntry,
  ): Promise<{ erased: number; link: ChainLink | undefined }> {
    await lockChain(tx);
    const [rows]: [{ no: string | null }[], number] = await tx.query(
      `UPDATE audit_log SET endpoint = ${erasedEndpoint}, payload = without_person(payload), chain_salt = NULL
       WHERE id = ANY($1) AND NOT (chain_no IS NOT NULL AND coalesce(payload ? 'erasure', false)) AND (payload IS DISTINCT FROM without_person(payload) OR endpoint <> ${erasedEndpoint})
       RETURNING chain_no AS no`,
      [ids],
    );
    const numbers = rows.flatMap(({ no }) => no ?? []);
    if (numbers.length === 0) return { erased: rows.length, link: undefined };
    const [{ links }] = await tx.query(
      `SELECT jsonb_object_agg(entry.chain_no, encode(audit_link(entry, ${hashBefore}), 'hex')) AS links
       FROM audit_log entry ${withBefore} WHERE entry.chain_no = ANY($1)`,
      [numbers],
    );
    const link = await auditLog.append(tx, { ...note, payload: { ...note.payload, erased_links: links } });
    return { erased: rows.length, link };
  },

  /**
   * Removes rows from before a moment, the oldest first, up to `size` links of the chain and up to `size` other rows;
   * returns their number, and the last removed link, if any. The chain stays provable: it is cut at one place, which
   * `audit_anchor` records, and its newest link always stays. Keep the returned link out of reach of those who can
   * write to the database (in the log), as with those of `append`. May be repeated.
   */
  async removeOldest(
    tx: EntityManager,
    before: Date,
    size: number,
  ): Promise<{ removed: number; cutAfter: ChainLink | undefined }> {
    await lockChain(tx);
    const [row]: { removed: number; no: string | null; hash: string }[] = await tx.query(
      `WITH kept AS (
         SELECT least(max(chain_no), min(chain_no) FILTER (WHERE created_at >= $1)) AS first_no
         FROM audit_log WHERE chain_no IS NOT NULL
       ), old AS (
         (SELECT id FROM audit_log WHERE chain_no IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2)
         UNION ALL
         (SELECT id FROM audit_log, kept WHERE chain_no < first_no ORDER BY chain_no LIMIT $2)
       ), gone AS (
         DELETE FROM audit_log WHERE id IN (SELECT id FROM old) RETURNING chain_no, chain_hash
       ), moved AS (
         INSERT INTO audit_anchor (chain_no, chain_hash)
         SELECT chain_no, chain_hash FROM gone WHERE chain_no IS NOT NULL ORDER BY chain_no DESC LIMIT 1
         ON CONFLICT (is_only_one) DO UPDATE
         SET chain_no = excluded.chain_no, chain_hash = excluded.chain_hash, moved_at = now()
         RETURNING chain_no, chain_hash
       )
       SELECT (SELECT count(*)::int FROM gone) AS removed, (SELECT chain_no::text FROM moved) AS no,
         (SELECT encode(chain_hash, 'hex') FROM moved) AS hash`,
      [before, size],
    );
    const { removed = 0, no = null, hash = "" } = row ?? {};
    return { removed, cutAfter: no === null ? undefined : { no, hash } };
  },

  /** One page with the actors, newest first, and the total; two statements. */
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
