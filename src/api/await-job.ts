import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource } from "typeorm";
import { findJob } from "../db/ledger.ts";

/** Often at first, for what is nearly done. */
const pollMs = (waitedMs: number) => (waitedMs < 2_000 ? 50 : 250);

/**
 * Resolves when a job is over, after so many seconds, or when `signal` says that nobody waits any more; asks the
 * ledger, so it needs no Redis.
 */
export async function awaitJob(db: DataSource, jobId: string, seconds: number, signal: AbortSignal): Promise<void> {
  const began = Date.now();
  for (let waited = 0; waited < seconds * 1_000 && !signal.aborted; waited = Date.now() - began) {
    const job = await findJob(db.manager, jobId);
    if (!job || job.finishedAt) return;
    await sleep(pollMs(waited), undefined, { signal }).catch(() => undefined);
  }
}
