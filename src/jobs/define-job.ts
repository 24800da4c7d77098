import type { z } from "zod";
import type { QueueName } from "./queues.ts";

/** Lower runs first. Interactive work has a person waiting for it; bulk work may take the night. */
export const priorities = { interactive: 10, normal: 50, bulk: 100 } as const;

/** A job contract: everything a producer has to know, and nothing about how the work is done. */
export interface JobDefinition<Name extends string, Schema extends z.ZodType> {
  /** Stored in the ledger and in Redis: a public contract, never renamed. */
  readonly name: Name;
  readonly queue: QueueName;
  /** Goes up with every incompatible change of `payload`. */
  readonly version: number;
  readonly payload: Schema;
  /** Same key, same effect once: the ledger refuses a second row. */
  readonly key: (payload: z.output<Schema>) => string;
  /** What the job belongs to, for people who look for it. */
  readonly entity: (payload: z.output<Schema>) => { type: string; id: string };
  readonly priority: number;
  /** `attempts` counts failures of the work itself; an outage of Postgres, Redis or S3 costs none. */
  readonly retry: { attempts: number; backoffMs: number };
  /** After so long in one run the job is aborted and counts as failed once. */
  readonly timeoutMs: number;
  /** One sentence for people who read a list of jobs. */
  readonly description: string;
}

export type AnyJob = JobDefinition<string, z.ZodType>;
export type PayloadOf<J extends AnyJob> = z.output<J["payload"]>;

export function defineJob<const Name extends string, Schema extends z.ZodType>(
  job: JobDefinition<Name, Schema>,
): JobDefinition<Name, Schema> {
  return Object.freeze(job);
}
