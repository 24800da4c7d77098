import type { QueueDefinitions } from "../engine/index.ts";

/** One queue for each kind of load, so that each can be scaled, slowed and paused by itself. */
export const queues = {
  images: {
    owner: "catalogue",
    concurrency: 2,
    lockMs: 15_000,
    stalledMs: 5_000,
    description: "Turns uploaded photos into web images. Goal: done within 3 s of the upload.",
  },
  documents: {
    owner: "sales desk",
    concurrency: 2,
    lockMs: 15_000,
    stalledMs: 5_000,
    description:
      "Makes order sheets, invoices, waybills, price lists, reports and the feed. Goal: an order or a waybill within 2 s of the request.",
  },
  mail: {
    owner: "customer service",
    // A mail waits for Postgres and the mail server nearly all of its time; many share their statements and
    // connections.
    concurrency: 60,
    // Longer than the mailer waits for an answer, so that no other worker takes a mail that may just have been sent.
    lockMs: 30_000,
    stalledMs: 5_000,
    description: "Sends mails, one recipient each. Goal: passed to the mail server within 30 s of the request.",
  },
  webhooks: {
    // They only wait, and a server that does not answer occupies a slot for 12 s.
    owner: "integrations",
    concurrency: 40,
    lockMs: 30_000,
    stalledMs: 5_000,
    description: "Delivers events to webhook endpoints. Goal: a first attempt within 10 s of the event.",
  },
  payments: {
    // They only wait for the provider.
    owner: "sales desk",
    concurrency: 10,
    lockMs: 30_000,
    stalledMs: 5_000,
    description:
      "Captures, cancels and refunds card payments at the provider, and asks it about unfinished ones. Goal: within 30 s of the request.",
  },
  maintenance: {
    formerly: ["upkeep"],
    owner: "operations",
    concurrency: 2,
    lockMs: 30_000,
    stalledMs: 5_000,
    description: "Work without a waiting caller: replays, fan-outs, pruning. Goal: within the hour.",
  },
} as const satisfies QueueDefinitions;

export type QueueName = keyof typeof queues;

export const queueNames = Object.keys(queues) as [QueueName, ...QueueName[]];
