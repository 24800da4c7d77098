/** Connections on which a worker claims and finishes the jobs of one queue, besides those that all its work shares. */
export const connectionsPerQueue = 4;

/**
 * The most connections to Postgres, or to its pooler, that one process opens: `DATABASE_POOL_MAX` for all work together,
 * and some for each queue of a worker. helm/templates/_check.tpl adds them up for an installation.
 */
export function connectionsOf(poolMax: number, queues: number): number {
  return poolMax + connectionsPerQueue * queues;
}
