import { Column, Entity, PrimaryColumn } from "typeorm";

/**
 * open: enqueued; running: a worker holds it; waiting: its own work is done, that of its children is not; succeeded,
 * failed, cancelled: over; unknown: over, but whether it took effect cannot be known (a connection that broke after the
 * last byte of a mail).
 */
export const jobStates = ["open", "running", "waiting", "succeeded", "failed", "unknown", "cancelled"] as const;
export type JobState = (typeof jobStates)[number];

export interface JobError {
  name: string;
  message: string;
  /** ISO time of the failure. */
  at: string;
}

/** One run that did not succeed. */
export interface JobAttempt {
  epoch: number;
  worker: string | null;
  /** ISO times. */
  started_at: string | null;
  ended_at: string;
  /**
   * `crashed`: its worker died or went silent; `interrupted`: its worker was stopped; `rescheduled`: a dependency was
   * unavailable.
   */
  outcome: "failed" | "rescheduled" | "interrupted" | "crashed" | "cancelled" | "unknown";
  error: { name: string; message: string } | null;
}

/** The progress of a job, in the unit that it counts: rows, recipients. */
export interface JobProgress {
  done: number;
  total: number | null;
}

/** The request to cancel a job. */
export interface Cancellation {
  at: string;
  /** User who asked; null for a rule of the system. */
  by: string | null;
  reason: string | null;
}

/** The ledger: one row for each job. Postgres is the truth, Redis only the transport. */
@Entity("job")
export class Job {
  @PrimaryColumn("uuid")
  id!: string;

  @Column("text")
  queue!: string;

  @Column("text")
  kind!: string;

  @Column("jsonb")
  payload!: unknown;

  @Column("smallint", { name: "payload_v" })
  payloadVersion!: number;

  @Column("text", { name: "dedupe_key", nullable: true })
  dedupeKey!: string | null;

  @Column("text", { name: "entity_type", nullable: true })
  entityType!: string | null;

  @Column("text", { name: "entity_id", nullable: true })
  entityId!: string | null;

  @Column("text", { default: "open" })
  state!: JobState;

  /** Dispatch generation: the BullMQ job id is `<id>-<gen>`. */
  @Column("integer", { default: 1 })
  gen!: number;

  /** Fencing token: goes up with every claim, and only the holder of the newest may write. */
  @Column("integer", { default: 0 })
  epoch!: number;

  @Column("integer", { default: 0 })
  failures!: number;

  @Column("integer", { name: "max_failures" })
  maxFailures!: number;

  /** How often a worker died or went silent while it held the job. */
  @Column("integer", { default: 0 })
  crashes!: number;

  @Column("integer", { name: "max_crashes", default: 12 })
  maxCrashes!: number;

  @Column("smallint")
  priority!: number;

  @Column("timestamptz", { name: "run_at" })
  runAt!: Date;

  /** Jobs of one group get one share of the queue, whatever their number; null: not shared out. */
  @Column("text", { name: "group_key", nullable: true })
  groupKey!: string | null;

  /** The job that enqueued it as a part of its own work. */
  @Column("uuid", { name: "parent_id", nullable: true })
  parentId!: string | null;

  @Column("timestamptz", { name: "lease_until", nullable: true })
  leaseUntil!: Date | null;

  @Column("text", { name: "claimed_by", nullable: true })
  claimedBy!: string | null;

  /** When the present run, or the last one, began. */
  @Column("timestamptz", { name: "claimed_at", nullable: true })
  claimedAt!: Date | null;

  @Column("jsonb", { name: "last_error", nullable: true })
  lastError!: JobError | null;

  /** The last error without its numbers, ids and names: equal for failures of one cause. */
  @Column("text", { name: "error_key", nullable: true })
  errorKey!: string | null;

  /** Runs that did not succeed, oldest first, the last 20. */
  @Column("jsonb", { default: [] })
  attempts!: JobAttempt[];

  @Column("jsonb", { nullable: true })
  progress!: JobProgress | null;

  /** Set at the request; the state follows when the worker has stopped. */
  @Column("jsonb", { nullable: true })
  cancellation!: Cancellation | null;

  @Column("jsonb", { nullable: true })
  result!: unknown;

  /** The user who caused it; null: none. */
  @Column("uuid", { name: "actor_id", nullable: true })
  actorId!: string | null;

  /** The request that caused it; also in the worker's log lines. */
  @Column("text", { name: "trace_id", nullable: true })
  traceId!: string | null;

  @Column("timestamptz", { name: "created_at" })
  createdAt!: Date;

  @Column("timestamptz", { name: "started_at", nullable: true })
  startedAt!: Date | null;

  @Column("timestamptz", { name: "finished_at", nullable: true })
  finishedAt!: Date | null;
}
