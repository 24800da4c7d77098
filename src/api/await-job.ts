import { setTimeout as sleep } from "node:timers/promises";
import type { DataSource } from "typeorm";
import { findJob } from "../db/ledger.ts";

const pollMs = 50;

/** Resolves when a job is over, or after so many seconds; asks the ledger, so it needs no Redis. */
export async function awaitJob(db: DataSource, jobId: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  while (Date.now() < end) {
    const job = await findJob(db.manager, jobId);
    if (!job || job.finishedAt) return;
    await sleep(Math.min(pollMs, Math.max(0, end - Date.now())));
  }
}
