import type { DataSource } from "typeorm";
import { findJob } from "../../../engine/index.ts";
import { AppError } from "../../../errors.ts";
import { jobWatch } from "./job-watch.ts";

/** So long it is likely that the job is done at any moment. */
const eagerForMs = 2_000;

/**
 * Resolves when a job is over, after so many seconds, or when `signal` says that nobody waits any more; asks the
 * ledger, so it needs no Redis. Throws what `signal` says of a caller who would be let in no more.
 */
export async function awaitJob(db: DataSource, jobId: string, seconds: number, signal: AbortSignal): Promise<void> {
  const began = Date.now();
  let job = seconds > 0 ? await findJob(db.manager, jobId) : null;
  const isOver = () => !job || job.finishedAt !== null || signal.aborted || Date.now() - began >= seconds * 1_000;
  while (!isOver()) job = await jobWatch(db).next(jobId, Date.now() - began < eagerForMs);
  if (signal.reason instanceof AppError) throw signal.reason;
}
