import type { z } from "zod";
import type { QueueName } from "./queues.ts";

/** Lower runs first. Interactive work has a person waiting for it; bulk work may take the night. */
export const priorities = { interactive: 10, normal: 50, bulk: 100 } as const;

/** A job contract: everything a producer has to know, and nothing about how the work is done. */
export interface JobDefinition<Name extends string, Schema extends z.ZodType> {
  /** Stored in the ledger and in Redis: a public contract, never renamed. */
  readonly name: Name;
  readonly queue: QueueName;
  /** Goes up with every change of `payload`. */
  readonly version: number;
  readonly payload: Schema;
  /** `upgrades[1]` makes a payload of version 1 one of version 2, and so on; pure functions, one for each old version. */
  readonly upgrades?: Readonly<Record<number, (payload: unknown) => unknown>>;
  /** Same key, same effect once: the ledger refuses a second row. */
  readonly key: (payload: z.output<Schema>) => string;
  /** What the job belongs to, for people who look for it. */
  readonly entity: (payload: z.output<Schema>) => { type: string; id: string };
  /** Whose job it is: groups of one queue take turns, however many jobs each has. Absent or null: first come, first served. */
  readonly group?: (payload: z.output<Schema>) => string | null;
  readonly priority: number;
  /**
   * By class of error. Transient, the work itself failed: so many runs in all, waits that double from `backoffMs`.
   * Infrastructure, Postgres, Redis or S3 is away: costs no attempt, tried again every `outageMs`. Permanent, no
   * repetition can mend it: never.
   */
  readonly retry: { attempts: number; backoffMs: number; outageMs: number };
  /** Deadline of one run: after so long it is aborted and counts as failed once. */
  readonly timeoutMs: number;
  /** One sentence for people who read a list of jobs. */
  readonly description: string;
}

export type AnyJob = JobDefinition<string, z.ZodType>;
export type PayloadOf<J extends AnyJob> = z.output<J["payload"]>;

/** Freezes a definition; throws when an older version of its payload has no upgrade. */
export function defineJob<const Name extends string, Schema extends z.ZodType>(
  job: JobDefinition<Name, Schema>,
): JobDefinition<Name, Schema> {
  for (let version = 1; version < job.version; version++) {
    if (!job.upgrades?.[version]) throw new Error(`Job '${job.name}' cannot upgrade a payload of version ${version}`);
  }
  return Object.freeze(job);
}

/**
 * A stored payload as the present code wants it, upgraded from the version it was promised in; throws a `ZodError` when
 * it is none, and must not be asked about versions newer than the definition's.
 */
export function readPayload<J extends AnyJob>(job: J, stored: unknown, version: number): PayloadOf<J> {
  let payload = stored;
  for (let from = version; from < job.version; from++) payload = job.upgrades?.[from]?.(payload);
  return job.payload.parse(payload) as PayloadOf<J>;
}
