import type { EntityManager } from "typeorm";
import { pruneJobs } from "../engine/index.ts";
import type { Retention, RetentionName } from "../jobs/retention.ts";
import { firstIdSince } from "../platform/postgres/uuid-time.ts";
import { auditLog, type ChainLink } from "./dao/audit/audit-log.ts";
import { mails } from "./dao/mail/mails.ts";

/** Rows of one transaction, how long they are kept, and the cursor. */
export interface Page {
  keep: Retention;
  size: number;
  /** `firstPage`, or what the page before returned. */
  after: string;
}

export interface PrunedPage {
  removed: number;
  /** The cursor of the next page; null: there is none. */
  next: string | null;
  /** The last removed link of the audit chain: the log has to keep it. */
  cutAfter?: ChainLink;
}

type Prune = (tx: EntityManager, page: Page) => Promise<PrunedPage>;

export const firstPage = "";

/** Less than all ids. */
const lowestId = "00000000-0000-0000-0000-000000000000";

/**
 * Removes old rows, line by line of the retention. Each call is one short statement that finds its rows by an index,
 * skips locked rows, and may be repeated. Objects of the bucket are not here: see `collect-garbage`.
 */
export const prunes = {
  async jobs(tx, { keep, size, after }) {
    return pruneJobs(tx, { days: keep.jobs, failedDays: keep.failed_jobs, size, after });
  },
  events: old(
    (days) => `DELETE FROM events WHERE id IN (
      SELECT id FROM events WHERE id < ${firstIdSince(`${days}::int`)} AND fanned_out_at IS NOT NULL
      ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    "events",
  ),
  // The outcome of its job decides about a mail that still waits.
  mails: old(
    (days) => `DELETE FROM mails WHERE id IN (
      SELECT id FROM mails WHERE created_at < ${ago(days)}
        AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = mails.job_id AND job.finished_at IS NULL)
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    "mails",
  ),
  async mail_links(tx, { keep, size }) {
    return pageOf(await mails.forgetLinks(tx, keep.mail_links, size), size);
  },
  mail_pace: pruneMailPace,
  mail_counts: old(
    (days) => `DELETE FROM mail_counts WHERE (span, act, mailbox) IN (
      SELECT span, act, mailbox FROM mail_counts WHERE created_at < ${ago(days)}
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    "mail_counts",
  ),
  // Only what a mail server said: a recipient's refusal of mail is never deleted.
  bounces: old(
    (days) => `DELETE FROM mail_suppressions WHERE address IN (
      SELECT address FROM mail_suppressions WHERE reason = 'bounce' AND created_at < ${ago(days)}
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    "bounces",
  ),
  // Deletes their lines as well, at most a few hundred.
  async audit(tx, { keep, size }) {
    const before = new Date(Date.now() - keep.audit * 24 * 3_600_000);
    const { removed, cutAfter } = await auditLog.removeOldest(tx, before, size);
    return { ...pageOf(removed, size), ...(cutAfter && { cutAfter }) };
  },
  carts: walk("carts", "carts", () => `updated_at < ${ago("$3")}`),
  documents: old((days) => oldDocuments(days, "kind NOT IN ('feed', 'personal-data')"), "documents"),
  exports: old((days) => oldDocuments(days, "kind = 'personal-data'"), "exports"),
  feeds: old((days) => oldDocuments(days, "kind = 'feed'"), "feeds"),
  pictures: walk("images", "pictures", unusedPicture),
  idempotency_keys: old(
    (days) => `DELETE FROM idempotency_key WHERE (scope, key) IN (
      SELECT scope, key FROM idempotency_key WHERE expires_at < now() + (7 - ${days}::int) * interval '1 day'
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    "idempotency_keys",
  ),
  received_events: old(
    (days) => `DELETE FROM received_events WHERE (source, event_id) IN (
      SELECT source, event_id FROM received_events WHERE created_at < ${ago(days)}
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    "received_events",
  ),
} satisfies Partial<Record<RetentionName, Prune>>;

function ago(days: string) {
  return `now() - ${days}::int * interval '1 day'`;
}

/**
 * Only rows; `collect-garbage` removes a file when no row names it. What the shop publishes for everybody stays as long
 * as there is nothing newer.
 */
function oldDocuments(days: string, ofKind: string) {
  return `DELETE FROM documents WHERE id IN (
    SELECT id FROM documents old WHERE ${ofKind} AND created_at < ${ago(days)}
      AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = old.job_id AND job.finished_at IS NULL)
      AND (requested_by IS NOT NULL OR ready_at IS NULL OR EXISTS (
        SELECT 1 FROM documents newer WHERE newer.kind = old.kind AND newer.format = old.format
          AND newer.parameters = old.parameters AND newer.ready_at > old.ready_at))
    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`;
}

/** Removes by a statement with the days as `$1` and the size as `$2`. */
function old(sql: (days: string) => string, name: RetentionName): Prune {
  const text = sql("$1");
  return async (tx, { keep, size }) => {
    const [, removed]: [unknown, number] = await tx.query(text, [keep[name], size]);
    return pageOf(removed, size);
  };
}

const pageOf = (removed: number, size: number): PrunedPage => ({ removed, next: removed < size ? null : firstPage });

/** No row shows it, no unfinished picture would fall back to it, and its own job is over. */
function unusedPicture() {
  const shownBy = (table: string) => `NOT EXISTS (SELECT 1 FROM ${table} WHERE image_id = images.id)`;
  return `created_at < ${ago("$3")}
    AND ${["categories", "sub_categories", "products", "offers"].map(shownBy).join(" AND ")}
    AND NOT EXISTS (SELECT 1 FROM images next WHERE next.replaces_id = images.id AND next.published_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM job WHERE job.id = images.job_id AND job.finished_at IS NULL)`;
}

/** Removes rows that match `isOld`, among the `size` after `after`; by the primary key, which costs no write. */
function walk(table: string, name: RetentionName, isOld: () => string): Prune {
  return async (tx, { keep, size, after }) => {
    const [page]: WalkedPage[] = await tx.query(
      `WITH page AS (
         SELECT id FROM ${table} WHERE id > $1 ORDER BY id LIMIT $2
       ), old AS (
         SELECT ${table}.id FROM page JOIN ${table} ON ${table}.id = page.id WHERE ${isOld()}
         FOR UPDATE OF ${table} SKIP LOCKED
       ), gone AS (
         DELETE FROM ${table} USING old WHERE ${table}.id = old.id RETURNING ${table}.id
       )
       SELECT (SELECT count(*)::int FROM gone) AS removed, count(*)::int AS looked, max(id::text) AS next FROM page`,
      [after || lowestId, size, keep[name]],
    );
    return walked(page, size);
  };
}

/** Deletes the next slot of domains that get no mail, and the counts of old days. */
async function pruneMailPace(tx: EntityManager, { keep, size, after }: Page): Promise<PrunedPage> {
  const [page]: WalkedPage[] = await tx.query(
    `WITH page AS (
       SELECT domain FROM mail_pace WHERE domain > $1 ORDER BY domain LIMIT $2
     ), gone AS (
       DELETE FROM mail_pace WHERE domain IN (SELECT domain FROM page) AND next_at < ${ago("$3")} RETURNING 1
     ), days AS (
       DELETE FROM mail_days WHERE day < current_date - $3::int RETURNING 1
     )
     SELECT (SELECT count(*)::int FROM gone) + (SELECT count(*)::int FROM days) AS removed, count(*)::int AS looked,
       max(domain) AS next FROM page`,
    [after, size, keep.mail_pace],
  );
  return walked(page, size);
}

interface WalkedPage {
  removed: number;
  /** Rows that were read. */
  looked: number;
  /** The last one of them. */
  next: string;
}

function walked(page: WalkedPage | undefined, size: number): PrunedPage {
  if (!page) throw new Error("Postgres did not return what was removed");
  return { removed: page.removed, next: page.looked < size ? null : page.next };
}
