import type { DataSource } from "typeorm";
import { findJob } from "../../../engine/index.ts";
import { AppError } from "../../../errors.ts";
import { jobWatch } from "./job-watch.ts";

/** For this long the job is likely to end at any moment. */
const eagerForMs = 2_000;

/**
 * Resolves when a job is over, after so many seconds, or when `signal` fires because the caller has left; reads the
 * ledger, so it needs no Redis. Throws the reason of `signal` when the caller has lost the right.
 */
export async function awaitJob(db: DataSource, jobId: string, seconds: number, signal: AbortSignal): Promise<void> {
  const began = Date.now();
  let job = seconds > 0 ? await findJob(db.manager, jobId) : null;
  const isOver = () => !job || job.finishedAt !== null || signal.aborted || Date.now() - began >= seconds * 1_000;
  while (!isOver()) job = await jobWatch(db).next(jobId, Date.now() - began < eagerForMs);
  if (signal.reason instanceof AppError) throw signal.reason;
}
