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
  /**
   * Adds a job; resolves when that is durable (or as durable as this one makes it) with the moment from which its start
   * is waited for: just after the commit for what joins a transaction of the caller's, just before the call otherwise.
   */
  one(n: number): Promise<number>;
  /** `pageSize` jobs from `n` on, as a program with many adds them; absent: it cannot. */
  page?(n: number): Promise<unknown>;
  /** As `one`, but the process dies right after the commit, as far as the job can tell. */
  unkicked?(n: number): Promise<number>;
}

/** The numbers of a page. */
export const numbersFrom = (n: number) => Array.from({ length: pageSize }, (_, index) => n + index);

/** One way to run jobs, as a user of it would write it; producer and worker are processes of their own. */
export interface Contestant {
  /** Makes tables and the like, once. */
  prepare?(servers: Servers): Promise<void>;
  producer(servers: Servers): Promise<Producer>;
  /** Runs no-op jobs: calls `started` when the work of one begins, and `finished` when it will not run again. */
  worker(servers: Servers, started: (n: number, at?: number) => void, finished: () => void): Promise<void>;
}

/** The size of a payload as jobs have it. */
export const payloadOf = (n: number) => ({ n, note: "x".repeat(200) });

/** Milliseconds since 1970, as fine as they come and comparable between processes. */
export const now = () => performance.timeOrigin + performance.now();
