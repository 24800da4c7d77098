import { createHash } from "node:crypto";
import type { EntityManager } from "typeorm";
import { type KeyedRequest, type StoredAnswer, storeAnswer, takeKey } from "../../db/idempotency.ts";
import type { Transact, TransactionContext } from "../../engine/index.ts";
import { ValidationError } from "../../errors.ts";
import { traced } from "../../platform/tracing.ts";
import type { Commit, Result } from "./types.ts";

export interface Committed {
  commit: Commit;
  /** True when `commit` returned a stored answer, so that nothing new was done. */
  isReplay: () => boolean;
  wasCalled: () => boolean;
}

export interface CommitOptions {
  transact: Transact;
  txContext: TransactionContext;
  /** Set when the request has an Idempotency-Key. */
  keyed: KeyedRequest | undefined;
  /** Set when the request has If-Match: throws unless the caller expects this state. */
  precondition: ((tx: EntityManager) => Promise<void>) | undefined;
}

/** The `commit` of one request. */
export function createCommit({ transact, txContext, keyed, precondition }: CommitOptions): Committed {
  let replayed = false;
  let called = false;
  const commit: Commit = (work) => {
    called = true;
    // A change of the row between the check and the work makes the transaction fail, and it is run again.
    const isolation = precondition ? "REPEATABLE READ" : undefined;
    const once = async (tx: EntityManager) => {
      replayed = false;
      const known = keyed && (await takeKey(tx, keyed));
      if (known?.state === "other request") throw keyTaken(keyed?.key);
      if (known?.state === "answered") {
        replayed = true;
        return toResult(known.answer);
      }
      await precondition?.(tx);
      const result = await work(tx);
      if (keyed) await storeAnswer(tx, keyed, toAnswer(result));
      return result;
    };
    return traced("commit", {}, () => transact(txContext, once, isolation));
  };
  return { commit, isReplay: () => replayed, wasCalled: () => called };
}

/** Everything that identifies a request: a repetition has the same hash, whatever the order of its keys. */
export function hashRequest(...parts: unknown[]) {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

function keyTaken(key = "") {
  const msg = "Value error, this key was used for another request; use a new one";
  return new ValidationError([{ type: "value_error", loc: ["header", "idempotency-key"], msg, input: key }]);
}

function toAnswer({ status, body, headers = {} }: Result): StoredAnswer {
  return { status, body: body === undefined ? null : JSON.stringify(body), headers };
}

function toResult({ status, body, headers }: StoredAnswer): Result {
  const shown = { ...headers, "idempotency-replayed": "true" };
  return body === null ? { status, headers: shown } : { status, body: JSON.parse(body), headers: shown };
}
