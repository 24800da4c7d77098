import type { DataSource } from "typeorm";
import { createBatcher } from "../platform/batch.ts";
import type { Log } from "../platform/logger.ts";
import { connectionsPerQueue } from "../platform/postgres/connections.ts";
import { isPostgresUnavailable } from "../platform/postgres/errors.ts";
import { openKeyedPool } from "../platform/postgres/prepared.ts";
import type { JobProgress } from "./job-entity.ts";
import {
  CancelledError,
  type Claim,
  type ClaimResult,
  type ClaimState,
  checkClaims,
  claimJobs,
  type DoneState,
  FencedError,
  finishJobs,
  recordProgress,
  renewLeases,
} from "./ledger.ts";

/** How soon a run learns that its job is cancelled; together with the time to stop it stays below a second. */
const lookMs = 400;

/** Interval between statements of busy workers, or their jobs; a worker with one job at a time does not wait. */
const [minIntervalMs, flushAt] = [12, 16];

export interface ClaimsOptions {
  db: DataSource;
  /** Names this process in the ledger. */
  worker: string;
  /** How long a silent worker keeps a job. */
  leaseMs: number;
  log: Log;
}

/** A claim while its job runs. */
export interface KeptClaim {
  /** Fires with a `FencedError` or a `CancelledError`. */
  signal: AbortSignal;
  /** Reports the job's progress; written within half a second, together with other jobs. */
  progress(done: number, total: number | null): void;
  /** The last report that is not written yet. */
  unwritten(): JobProgress | undefined;
  /** The run is over: the lease is not renewed any more. */
  release(): void;
}

export type Claims = ReturnType<typeof createClaims>;

/**
 * The claims of one worker on the jobs of one queue. Statements that come close together are combined into one: to
 * claim or finish a hundred jobs costs Postgres hardly more than one.
 */
export function createClaims({ db, worker, leaseMs, log }: ClaimsOptions) {
  const pool = openKeyedPool(db, connectionsPerQueue);
  const kept = new Set<Entry>();
  const batching = { size: 200, maxInFlight: 2, minIntervalMs, flushAt, failsWholeBatch: isPostgresUnavailable };
  let renewedAt = Date.now();
  let isLooking = false;

  const look = async () => {
    const entries = [...kept];
    if (entries.length === 0) return;
    const claims = entries.map(({ claim }) => claim);
    const isRenewal = Date.now() - renewedAt > leaseMs / 3;
    const states = isRenewal ? await renewLeases(db, claims, leaseMs) : await checkClaims(db, claims);
    if (isRenewal) renewedAt = Date.now();
    entries.forEach(({ claim, abort }, index) => {
      const reason = reasonOf(claim, states[index] as ClaimState);
      if (reason) abort.abort(reason);
    });
    const steps = entries.flatMap(({ claim, progress }) => (progress ? [{ ...claim, progress }] : []));
    for (const entry of entries) entry.progress = undefined;
    if (steps.length > 0) await recordProgress(db, steps);
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((error: unknown) => log.debug({ err: error }, "claims could not be checked"))
      .finally(() => {
        isLooking = false;
      });
  }, lookMs);

  return {
    /** Claims a job; see `claimJobs`. */
    claim: createBatcher<string, ClaimResult>((ids) => claimJobs(db, pool, ids, worker, leaseMs), batching),
    /** Records that a job's own work is done; see `finishJobs`. */
    finish: createBatcher<Claim, DoneState | undefined>((claims) => finishJobs(pool, claims), batching),
    /** Renews the lease of a claim until it is released. */
    keep(claim: Claim): KeptClaim {
      const entry: Entry = { claim, abort: new AbortController(), progress: undefined };
      kept.add(entry);
      return {
        signal: entry.abort.signal,
        progress(done, total) {
          entry.progress = { done, total };
        },
        unwritten: () => entry.progress,
        release: () => kept.delete(entry),
      };
    },
    async close() {
      clearInterval(timer);
      await pool.close();
    },
  };
}

interface Entry {
  claim: Claim;
  abort: AbortController;
  progress: JobProgress | undefined;
}

function reasonOf({ id }: Claim, state: ClaimState) {
  if (state === "lost") return new FencedError(`Job '${id}' is held by another worker now`);
  return state === "cancelled" ? new CancelledError(`Job '${id}' is cancelled`) : undefined;
}
