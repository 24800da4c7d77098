/** A queue of jobs: one for each kind of load, so that each can be scaled, slowed and paused by itself. */
export interface QueueDefinition {
  /** Whom to ask about what it does. */
  readonly owner: string;
  /** Jobs at once in one worker, as long as its setting says nothing else. */
  readonly concurrency: number;
  /**
   * How long a silent worker keeps a job before another may take it; a crash costs at most `lockMs` + 2 × `stalledMs`,
   * since BullMQ's stalled check needs two passes.
   */
  readonly lockMs: number;
  readonly stalledMs: number;
  /** One sentence for people who read a list of queues. */
  readonly description: string;
  /** Names that it had: what processes of before put there is done here. */
  readonly formerly?: readonly string[];
}

/** Queues by name. */
export type QueueDefinitions = Readonly<Record<string, QueueDefinition>>;

/** The present name of each name that a queue had. */
export function presentNames(queues: QueueDefinitions): ReadonlyMap<string, string> {
  return new Map(Object.entries(queues).flatMap(([name, { formerly = [] }]) => formerly.map((old) => [old, name])));
}
