// The door for processes that run jobs. docs/engine.md explains it.

export { InconclusiveError, PermanentError } from "../errors.ts";
export { costOf } from "./classify-error.ts";
export {
  CancelledError,
  cancelledError,
  claimHolds,
  claimKey,
  columnsOf,
  type FailureCost,
  FencedError,
  fenced,
  type HeldClaim,
} from "./ledger.ts";
export { watchFetching } from "./liveness.ts";
export { measureSchedules } from "./metrics.ts";
export type { JobRun, Kinds, Processor } from "./processor.ts";
export { type SharedWrites, sharedWrites } from "./processor.ts";
export { hasReady } from "./scaling/queue-load.ts";
export { staleSchedules, startScheduler } from "./scheduler.ts";
export { startWorker, type WorkerSettings } from "./start-worker.ts";
