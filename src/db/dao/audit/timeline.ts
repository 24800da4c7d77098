import type { EntityManager } from "typeorm";

/** An event in the history of an entity. */
export interface TimelineEntry {
  /** ISO time with microseconds, as Postgres has it: a page begins exactly where the one before ended. */
  at: string;
  kind: "job" | "change" | "event" | "stock" | "payment";
  title: string;
  ref: string;
}

/** SQL of the first id in the address of an audited request; an index uses it, so it never changes. */
export const idInEndpoint = "substring(endpoint FROM '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')";

/** Table and columns of each kind of entry; `$1` is the type of the entity, `$2` its id as text. */
const sources: Record<TimelineEntry["kind"], { table: string; title: string; where: string }> = {
  job: { table: "job", title: "kind || ': ' || state", where: "entity_type = $1 AND entity_id = $2" },
  change: {
    table: "audit_log",
    title: "method || ' ' || regexp_replace(endpoint, '^https?://[^/]+', '') || ': ' || status",
    where: `${idInEndpoint} = $2`,
  },
  event: { table: "events", title: "type", where: "entity_type = $1 AND entity_id = $2" },
  stock: {
    table: "stock_movements",
    title: "waybill_type || ': ' || delta || ', ' || quantity_after || ' left'",
    where: "$1 = 'offer' AND offer_id = $2::uuid",
  },
  payment: {
    table: "payments",
    title: "method || ' ' || amount_rub || ' RUB: ' || state",
    where: "$1 = 'order' AND order_id = $2::uuid",
  },
};

const parts = Object.entries(sources).map(
  ([kind, { table, title, where }]) => `
    (SELECT created_at AS at, '${kind}' AS kind, ${title} AS title, id::text AS ref FROM ${table}
     WHERE ${where} AND created_at <= $3 ORDER BY created_at DESC LIMIT $5 + 100)`,
);

const timelineSql = `
  SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, kind, title, ref
  FROM (${parts.join(" UNION ALL ")}) entries
  WHERE (at, ref) < ($3, $4) ORDER BY entries.at DESC, ref DESC LIMIT $5`;

/** The history of an entity before a moment, newest first; of entries of that moment, those with a lower `ref`. */
export function timeline(
  tx: EntityManager,
  entity: { type: string; id: string },
  before: Pick<TimelineEntry, "at" | "ref">,
  limit: number,
): Promise<TimelineEntry[]> {
  return tx.query(timelineSql, [entity.type, entity.id, before.at, before.ref, limit]);
}
