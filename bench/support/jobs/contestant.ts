/** What a contestant is given; the same servers for all. */
export interface Servers {
  databaseUrl: string;
  redisUrl: string;
}

/** Jobs of a worker at once, and promises of a producer under way at once. */
export const concurrency = 50;
export const producers = 16;

/** Jobs of a page. */
export const pageSize = 100;

export interface Producer {
  one(n: number): Promise<unknown>;
  /** `pageSize` jobs from `n` on, as whoever has many would add them. */
  page(n: number): Promise<unknown>;
}

/** The numbers of a page. */
export const numbersFrom = (n: number) => Array.from({ length: pageSize }, (_, index) => n + index);

/** One way to run jobs, as a user of it would write it; producer and worker are processes of their own. */
export interface Contestant {
  /** Makes tables and the like, once. */
  prepare?(servers: Servers): Promise<void>;
  /** Returns what adds jobs; it resolves when that is durable (or as durable as this one makes it). */
  producer(servers: Servers): Promise<Producer>;
  /** Runs no-op jobs: calls `started` when the work of one begins, and `finished` when it will not run again. */
  worker(servers: Servers, started: (n: number) => void, finished: () => void): Promise<void>;
}

/** The size of a payload as jobs have it. */
export const payloadOf = (n: number) => ({ n, note: "x".repeat(200) });
