import type { EntityManager } from "typeorm";

/** The answer to a request with an Idempotency-Key. */
export interface StoredAnswer {
  status: number;
  /** JSON text; null for an answer without a body. */
  body: string | null;
  headers: Record<string, string>;
}

export interface KeyedRequest {
  /** The caller: keys of different callers never collide. */
  scope: string;
  key: string;
  /** Hash of all that identifies the request. */
  hash: string;
}

export type KeyState = { state: "new" } | { state: "answered"; answer: StoredAnswer } | { state: "other request" };

/** Each new key deletes a few expired ones, so the table needs no maintenance of its own. */
const takeSql = `
  WITH expired AS (
    DELETE FROM idempotency_key WHERE (scope, key) IN (
      SELECT scope, key FROM idempotency_key WHERE expires_at < now() AND (scope, key) <> ($1, $2)
      ORDER BY expires_at LIMIT 5 FOR UPDATE SKIP LOCKED
    )
  )
  INSERT INTO idempotency_key (scope, key, request_hash, expires_at)
  VALUES ($1, $2, $3, now() + interval '7 days')
  ON CONFLICT (scope, key) DO UPDATE
    SET request_hash = excluded.request_hash, status = NULL, body = NULL, headers = NULL, expires_at = excluded.expires_at
    WHERE idempotency_key.expires_at < now()
  RETURNING key`;

/**
 * Takes the key for this transaction, or returns the stored answer. Waits for a transaction that holds the same key, so
 * that of parallel requests one does the work and the others get its answer.
 */
export async function takeKey(tx: EntityManager, { scope, key, hash }: KeyedRequest): Promise<KeyState> {
  const taken = await tx.query(takeSql, [scope, key, hash]);
  if (taken.length > 0) return { state: "new" };
  const [row]: (StoredAnswer & { hash: string })[] = await tx.query(
    "SELECT request_hash AS hash, status, body, headers FROM idempotency_key WHERE scope = $1 AND key = $2",
    [scope, key],
  );
  if (row?.hash !== hash) return { state: "other request" };
  return { state: "answered", answer: row };
}

/** Stores the answer with its key, in the transaction that did the work. */
export async function storeAnswer(
  tx: EntityManager,
  { scope, key }: KeyedRequest,
  { status, body, headers }: StoredAnswer,
) {
  await tx.query("UPDATE idempotency_key SET status = $3, body = $4, headers = $5 WHERE scope = $1 AND key = $2", [
    scope,
    key,
    status,
    body,
    JSON.stringify(headers),
  ]);
}
