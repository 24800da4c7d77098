/** A queue of jobs: one for each kind of load, so that each can be scaled, slowed and paused by itself. */
export interface QueueDefinition {
  /** The people to ask about it. */
  readonly owner: string;
  /** Concurrent jobs in one worker, unless its setting says otherwise. */
  readonly concurrency: number;
  /**
   * How long a silent worker keeps a job before another may claim it; a crash costs at most `lockMs` + 2 × `stalledMs`,
   * since BullMQ's stalled check needs two passes.
   */
  readonly lockMs: number;
  readonly stalledMs: number;
  /** One sentence for people who read a list of queues. */
  readonly description: string;
  /** Former names: jobs that older processes put there are run here. */
  readonly formerly?: readonly string[];
}

/** Queues by name. */
export type QueueDefinitions = Readonly<Record<string, QueueDefinition>>;

/** The present name of each former name of a queue. */
export function presentNames(queues: QueueDefinitions): ReadonlyMap<string, string> {
  return new Map(Object.entries(queues).flatMap(([name, { formerly = [] }]) => formerly.map((old) => [old, name])));
}
