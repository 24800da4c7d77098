// The door for code that defines, enqueues or controls jobs. docs/engine.md explains it.

export type { Queues } from "./bull-queues.ts";
export { createQueues } from "./bull-queues.ts";
export type { QueueDefinition, QueueDefinitions } from "./create-engine.ts";
export { createEngine, type Engine, type EngineDefinitions, type EngineOptions } from "./create-engine.ts";
export {
  type AnyJob,
  defineJob,
  defineScheduledJob,
  type JobDefinition,
  type PayloadOf,
  priorities,
} from "./define-job.ts";
export { type QueuedData, queuedJobId } from "./dispatch.ts";
export { Job, type JobState, jobStates } from "./job-entity.ts";
export { type Failures, type JobFilter, type JobStatus, jobQueries } from "./job-queries.ts";
export { cancelJobs, findJob, reopenJob, reopenJobs } from "./ledger.ts";
export { engineMigrations } from "./migrations/index.ts";
export { type EnqueueOptions, enqueue, enqueueAll, readOutboxStats } from "./outbox.ts";
export { pruneJobs } from "./prune.ts";
export { applyPauses, groupPauses, groupWeights, type QueuePause, queuePauses } from "./queue-controls.ts";
export { createAutoscaler, type Explanation } from "./scaling/autoscaler.ts";
export type { ScalingRule, ScalingRules } from "./scaling/desired-workers.ts";
export { wantedKey } from "./scaling/queue-load.ts";
export type { Schedule, ScheduleConditions } from "./scheduler.ts";
export { createTransact, type Transact, type TransactionContext } from "./transaction.ts";
