/**
 * One queue for each kind of load, so that each can be scaled, slowed and paused by itself.
 * `lockMs` is how long a silent worker keeps a job before another may take it; a crash costs at most
 * `lockMs` + 2 × `stalledMs` (BullMQ's stalled check needs two passes).
 */
export const queues = {
  images: {
    concurrency: 2,
    lockMs: 15_000,
    stalledMs: 5_000,
    description: "Turns uploaded photos into web images. Goal: done within 3 s of the upload.",
  },
} as const;

export type QueueName = keyof typeof queues;

export const queueNames = Object.keys(queues) as [QueueName, ...QueueName[]];
