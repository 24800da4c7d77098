import { z } from "zod";

/** Lower runs first. A person waits for interactive work; bulk work may take the night. */
export const priorities = { interactive: 10, normal: 50, bulk: 100 } as const;

/** The defaults of a definition. */
export const jobDefaults = {
  version: 1,
  priority: priorities.normal,
  retry: { attempts: 5, backoffMs: 5_000, outageMs: 5_000 },
  timeoutMs: 60_000,
} as const;

/** By class of error, what a failed run costs and when the job is retried. */
export interface RetryRule {
  /** Transient, the work itself failed: total number of runs … */
  attempts: number;
  /** … with waits between them that double from here. */
  backoffMs: number;
  /** Infrastructure, Postgres, Redis or S3 is unavailable: costs no attempt, retried after this many milliseconds. */
  outageMs: number;
}

/** A job contract: everything a producer has to know, and nothing about how the work is done. */
export interface JobDefinition<Name extends string, Schema extends z.ZodType, Queue extends string = string> {
  /** Stored in the ledger and in Redis: a public contract, never renamed. */
  readonly name: Name;
  readonly queue: Queue;
  /** Goes up with every change of `payload`. */
  readonly version: number;
  readonly payload: Schema;
  /** `upgrades[1]` turns a payload of version 1 into version 2, and so on; pure functions, one for each old version. */
  readonly upgrades?: Readonly<Record<number, (payload: unknown) => unknown>>;
  /** Jobs with the same key take effect once: the ledger refuses a second row. */
  readonly key: (payload: z.output<Schema>) => string;
  /** The entity that the job belongs to, for people who look for it. */
  readonly entity: (payload: z.output<Schema>) => { type: string; id: string };
  /**
   * The group of the job: groups share a queue fairly, however many jobs each has. Absent or null: first come, first
   * served.
   */
  readonly group?: (payload: z.output<Schema>) => string | null;
  /** Lower runs first; see `priorities`. */
  readonly priority: number;
  readonly retry: RetryRule;
  /** Time limit of one run: after that it is aborted and counts as one failure. */
  readonly timeoutMs: number;
  /** One sentence for people who read a list of jobs. */
  readonly description: string;
}

export type AnyJob = JobDefinition<string, z.ZodType>;
export type PayloadOf<J extends AnyJob> = z.output<J["payload"]>;

/** Definitions by name. */
export type JobDefinitions = Readonly<Record<string, AnyJob>>;

type Defaulted = keyof typeof jobDefaults;

/** A definition in which the options of `jobDefaults` are optional. */
export type NewJob<Name extends string, Schema extends z.ZodType, Queue extends string> = Omit<
  JobDefinition<Name, Schema, Queue>,
  Defaulted
> &
  Partial<Omit<Pick<JobDefinition<Name, Schema, Queue>, Defaulted>, "retry">> & { retry?: Partial<RetryRule> };

/**
 * Defines a job with the defaults filled in, and freezes it; throws when an older version of its payload has no
 * upgrade.
 *
 * ```ts
 * export const sendInvoice = defineJob({
 *   name: "send-invoice",
 *   queue: "mail",
 *   payload: z.object({ orderId: z.uuid() }),
 *   key: ({ orderId }) => orderId,
 *   entity: ({ orderId }) => ({ type: "order", id: orderId }),
 *   description: "Sends the invoice of an order.",
 * });
 * ```
 */
export function defineJob<const Name extends string, Schema extends z.ZodType, const Queue extends string>(
  job: NewJob<Name, Schema, Queue>,
): JobDefinition<Name, Schema, Queue> {
  const defined = { ...jobDefaults, ...job, retry: { ...jobDefaults.retry, ...job.retry } };
  for (let version = 1; version < defined.version; version++) {
    if (!job.upgrades?.[version]) throw new Error(`Job '${job.name}' cannot upgrade a payload of version ${version}`);
  }
  return Object.freeze(defined);
}

/** The payload of a scheduled job: the moment it was due, ISO 8601 in UTC. */
export const slotPayload = z.object({ slot: z.iso.datetime() });

type ScheduledJob<Name extends string, Queue extends string> = Omit<
  NewJob<Name, typeof slotPayload, Queue>,
  "payload" | "key" | "entity" | "version" | "upgrades"
>;

/**
 * Defines a job that a schedule enqueues: its payload and key are the slot, so each slot has one job; `schedule` is the
 * name of its schedule, by which people find its jobs.
 */
export function defineScheduledJob<const Name extends string, const Queue extends string>({
  schedule,
  ...job
}: ScheduledJob<Name, Queue> & { schedule: string }): JobDefinition<Name, typeof slotPayload, Queue> {
  return defineJob({
    payload: slotPayload,
    key: ({ slot }) => slot,
    entity: () => ({ type: "schedule", id: schedule }),
    ...job,
  });
}

/**
 * A stored payload in the present version, upgraded from the one it was enqueued with; throws a `ZodError` when it is
 * invalid. Must not be called with versions newer than the definition's.
 */
export function readPayload<J extends AnyJob>(job: J, stored: unknown, version: number): PayloadOf<J> {
  let payload = stored;
  for (let from = version; from < job.version; from++) payload = job.upgrades?.[from]?.(payload);
  return job.payload.parse(payload) as PayloadOf<J>;
}
