import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { RedisConnection } from "./redis.ts";

/** At most `points` requests in a window of seconds; `points` 0 means no limit. */
export interface Limit {
  points: number;
  seconds: number;
}

/** What is left to a caller after a request was counted. */
export interface RateLimitStatus extends Limit {
  name: string;
  remaining: number;
  resetSeconds: number;
  isExceeded: boolean;
}

/** Counts requests, by the name of a limit and a key of the caller; undefined means that there is no such limit. */
export interface RateLimits<Here extends string = string, Everywhere extends string = string> {
  /** Counts one request in this process only, because a request for a cached list should not cost a trip to Redis. */
  countHere(name: Here, key: string): RateLimitStatus | undefined;
  /** Counts one request over all processes, in Redis; in this process only while Redis is unavailable. Never fails. */
  countEverywhere(name: Everywhere, key: string): Promise<RateLimitStatus | undefined>;
}

export interface LimitOptions<Here extends string, Everywhere extends string> {
  redis: RedisConnection;
  /** Prefix of all keys. */
  prefix: string;
  here: Record<Here, Limit>;
  everywhere: Record<Everywhere, Limit>;
}

/** Limits by name, of both kinds. */
export function createRateLimits<Here extends string, Everywhere extends string>({
  redis,
  prefix,
  here,
  everywhere,
}: LimitOptions<Here, Everywhere>): RateLimits<Here, Everywhere> {
  const windows = new Map(entries(here).map(([name, limit]) => [name, fixedWindow(name, limit)]));
  const shared = new Map(
    entries(everywhere).map(([name, limit]) => [
      name,
      { limit, limiter: sharedLimiter(redis, `${prefix}:${name}`, limit) },
    ]),
  );
  return {
    countHere: (name, key) => windows.get(name)?.(key),
    async countEverywhere(name, key) {
      const found = shared.get(name);
      const result = await found?.limiter.consume(key).catch((refusal: unknown) => refusal);
      if (!found || !(result instanceof RateLimiterRes)) return undefined;
      const { limit } = found;
      return {
        name,
        ...limit,
        remaining: Math.max(0, result.remainingPoints),
        resetSeconds: Math.ceil(result.msBeforeNext / 1_000),
        isExceeded: result.consumedPoints > limit.points,
      };
    },
  };
}

function entries<Name extends string>(limits: Record<Name, Limit>) {
  return (Object.entries(limits) as [Name, Limit][]).filter(([, { points }]) => points > 0);
}

function sharedLimiter(redis: RedisConnection, keyPrefix: string, { points, seconds }: Limit) {
  const options = { points, duration: seconds, keyPrefix };
  const insuranceLimiter = new RateLimiterMemory(options);
  return new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter, rejectIfRedisNotReady: true });
}

/** All counts start again together, so that nothing has to be tidied up. */
function fixedWindow(name: string, limit: Limit) {
  let counts = new Map<string, number>();
  let ends = 0;
  return (key: string): RateLimitStatus => {
    // Rounded, or the window's end may be a little more than a minute from now.
    const now = Math.floor(performance.now());
    if (now >= ends) {
      counts = new Map();
      ends = now + limit.seconds * 1_000;
    }
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const resetSeconds = Math.ceil((ends - now) / 1_000);
    return {
      name,
      ...limit,
      remaining: Math.max(0, limit.points - count),
      resetSeconds,
      isExceeded: count > limit.points,
    };
  };
}
