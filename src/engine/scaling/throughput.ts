import { keysOf, type Queues } from "../bull-queues.ts";
import type { JobMetrics } from "../metrics.ts";

/** How fast the numbers follow the events. */
export interface Pace {
  /** Length of one counting interval. */
  bucketMs: number;
  /** How long arrivals and runs are remembered. */
  windowMs: number;
  /** Half-life of arrivals. */
  halfLifeMs: number;
  /** A worker that is silent for this long counts as dead. */
  silentMs: number;
  /** Interval at which counts are written to Redis. */
  flushMs: number;
}

/**
 * Ten minutes of history, arrivals of the last half minute count most; a simulation in faster time takes other values.
 */
export const defaultPace: Pace = {
  bucketMs: 5_000,
  windowMs: 600_000,
  halfLifeMs: 30_000,
  silentMs: 15_000,
  flushMs: 1_000,
};

/**
 * Adds to the present five seconds, by the clock of Redis, and records that a worker is alive or (argument 5) has
 * ended. Removes old fields when there are many.
 */
const recordScript = ({ bucketMs, windowMs, silentMs }: Pace) => `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local bucket = math.floor(now / ${bucketMs})
  for index, field in ipairs({'arrived', 'completed', 'busy'}) do
    local count = tonumber(ARGV[index])
    if count > 0 then redis.call('HINCRBY', KEYS[1], field .. ':' .. bucket, count) end
  end
  redis.call('PEXPIRE', KEYS[1], ${windowMs + bucketMs})
  if redis.call('HLEN', KEYS[1]) > ${(4 * windowMs) / bucketMs} then
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
      if tonumber(string.match(field, '%d+$')) < bucket - ${windowMs / bucketMs} then redis.call('HDEL', KEYS[1], field) end
    end
  end
  if ARGV[4] ~= '' then
    if ARGV[5] == 'gone' then redis.call('ZREM', KEYS[2], ARGV[4]) else redis.call('ZADD', KEYS[2], now, ARGV[4]) end
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ${silentMs})
    redis.call('PEXPIRE', KEYS[2], ${2 * silentMs})
  end`;

export interface Throughput {
  /** Counts jobs that were put into a queue. */
  arrived(queue: string, jobs: number): void;
  /** Counts a run that ended; one that was cut short adds its time, but no completion. */
  ran(queue: string, seconds: number, isCompletion: boolean): void;
  /** Records that this process has ended, and stops counting. */
  close(): Promise<void>;
}

interface Counts {
  arrived: number;
  completed: number;
  busyMs: number;
}

/**
 * Counts arrivals and runs of this process and adds them to those of others in Redis, once a second; a worker also
 * records there which queues it serves. Counts that cannot be written while Redis is unavailable are dropped.
 */
export function countThroughput(
  queues: Pick<Queues, "client" | "prefix" | "isUp">,
  worker?: { name: string; queues: readonly string[] },
  pace = defaultPace,
): Throughput {
  const script = recordScript(pace);
  let counts = new Map<string, Counts>();
  const of = (queue: string) => {
    const known = counts.get(queue) ?? { arrived: 0, completed: 0, busyMs: 0 };
    counts.set(queue, known);
    return known;
  };
  const flush = async (state: "here" | "gone") => {
    const taken = counts;
    counts = new Map();
    if (!queues.isUp()) return;
    const named = new Set([...taken.keys(), ...(worker?.queues ?? [])]);
    const writes = [...named].map((queue) => {
      const { arrived, completed, busyMs } = taken.get(queue) ?? { arrived: 0, completed: 0, busyMs: 0 };
      const name = worker?.queues.some((served) => served === queue) ? worker.name : "";
      const keys = ["throughput", "workers"].map((name) => `${keysOf(queues, queue)}:${name}`);
      return queues.client.eval(script, 2, ...keys, arrived, completed, Math.round(busyMs), name, state);
    });
    await Promise.allSettled(writes);
  };
  const timer = setInterval(() => void flush("here"), pace.flushMs);
  return {
    arrived(queue, jobs) {
      of(queue).arrived += jobs;
    },
    ran(queue, seconds, isCompletion) {
      const count = of(queue);
      if (isCompletion) count.completed++;
      count.busyMs += seconds * 1_000;
    },
    async close() {
      clearInterval(timer);
      await flush("gone");
    },
  };
}

/** Sums of the counts, as `QueueLoad` names them; `nowMs` is the clock that the fields were named by. */
export function summarise(fields: Readonly<Record<string, string>>, nowMs: number, pace = defaultPace) {
  const { bucketMs, windowMs, halfLifeMs } = pace;
  const weight = (ageMs: number) => 0.5 ** (ageMs / halfLifeMs);
  const first = (nowMs - windowMs) / bucketMs;
  let [completions, busyMs, arrivals] = [0, 0, 0];
  for (const [field, text] of Object.entries(fields)) {
    const [what, bucket] = [field.slice(0, field.indexOf(":")), Number(field.slice(field.indexOf(":") + 1))];
    if (bucket < first) continue;
    if (what === "completed") completions += Number(text);
    if (what === "busy") busyMs += Number(text);
    if (what === "arrived") arrivals += Number(text) * weight(nowMs - bucket * bucketMs);
  }
  // The weights of all moments of the window; the present five seconds are not over yet.
  let seconds = 0;
  for (let bucket = Math.floor(nowMs / bucketMs); bucket >= first; bucket--) {
    seconds += (Math.min(bucketMs, nowMs - bucket * bucketMs) / 1_000) * weight(nowMs - bucket * bucketMs);
  }
  return { completions, busySeconds: busyMs / 1_000, arrivalsPerSecond: seconds > 0 ? arrivals / seconds : 0 };
}

/** Records jobs that a relay has published: their number by kind, and their arrival. */
export function recordPublished({ enqueued }: Pick<JobMetrics, "enqueued">, throughput: Pick<Throughput, "arrived">) {
  return (queue: string, jobs: readonly { kind: string }[]) => {
    throughput.arrived(queue, jobs.length);
    for (const { kind } of jobs) enqueued.inc({ queue, kind });
  };
}
