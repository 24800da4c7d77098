import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { RedisConnection } from "./redis.ts";

/** So many in so many seconds; `points` 0 means no limit. */
export interface Limit {
  points: number;
  seconds: number;
}

/** Where a caller stands after a request was counted. */
export interface Standing extends Limit {
  name: string;
  remaining: number;
  resetSeconds: number;
  isExceeded: boolean;
}

/** Counts what callers do, by the name of a limit and a key for the caller. Never fails, and never waits for long. */
export interface RateLimits {
  /** Counts one more; undefined when there is no such limit. */
  count(name: string, key: string): Promise<Standing | undefined>;
  /** Seconds until the caller may try again; 0 when it may now. Counts nothing. */
  blockedSeconds(name: string, key: string): Promise<number>;
}

/**
 * Limits by name. Those in `shared` hold over all processes, in Redis, and over this one alone while Redis is away;
 * the others are counted in each process by itself, because a request for a cached list should not cost a trip to Redis.
 */
export function createRateLimits<Name extends string>(
  redis: RedisConnection,
  prefix: string,
  limits: Record<Name, Limit>,
  shared: readonly Name[],
): RateLimits {
  const limiters = new Map<string, { limiter: RateLimiterMemory | RateLimiterRedis; limit: Limit }>();
  for (const [name, limit] of Object.entries<Limit>(limits)) {
    if (limit.points === 0) continue;
    const options = { points: limit.points, duration: limit.seconds, keyPrefix: `${prefix}:${name}` };
    const memory = new RateLimiterMemory(options);
    const limiter = shared.includes(name as Name)
      ? new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory, rejectIfRedisNotReady: true })
      : memory;
    limiters.set(name, { limiter, limit });
  }
  return {
    async count(name, key) {
      const found = limiters.get(name);
      if (!found) return undefined;
      const { limiter, limit } = found;
      const result = await limiter.consume(key).catch((refusal: unknown) => refusal);
      if (!(result instanceof RateLimiterRes)) return undefined;
      return {
        name,
        ...limit,
        remaining: Math.max(0, result.remainingPoints),
        resetSeconds: Math.ceil(result.msBeforeNext / 1_000),
        isExceeded: result.consumedPoints > limit.points,
      };
    },
    async blockedSeconds(name, key) {
      const found = limiters.get(name);
      const result = await found?.limiter.get(key).catch(() => null);
      if (!found || !result || result.consumedPoints < found.limit.points) return 0;
      return Math.max(1, Math.ceil(result.msBeforeNext / 1_000));
    },
  };
}
