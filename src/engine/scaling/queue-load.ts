import { keysOf, type Queues } from "../bull-queues.ts";
import type { QueueLoad } from "./desired-workers.ts";
import { defaultPace, summarise } from "./throughput.ts";

/** What Postgres knows of a queue and Redis does not. */
export interface PromisedLoad {
  queue: string;
  /** Due for a second, and not in Redis. */
  jobs: number;
  /** How long the oldest of them has been due. */
  oldestSeconds: number;
  /** The same without those that wait for their group's share: the lag of the relay. */
  lagSeconds: number;
}

/** The number of workers that an operator has set for a queue, until it expires. */
export const wantedKey = (queues: Pick<Queues, "client" | "prefix">, queue: string) =>
  `${keysOf(queues, queue)}:wanted-workers`;

/**
 * All that Redis knows of one queue, at one moment and by its own clock. It reads the first job of each priority, since
 * a priority that is never reached has the oldest.
 */
const loadScript = `
  local base = KEYS[1] .. ':'
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local since = now
  local function waits(id)
    if not id then return end
    local job = redis.call('HMGET', base .. id, 'timestamp', 'processedOn')
    -- One that has run before is ready again since that run, at the earliest.
    since = math.min(since, math.max(tonumber(job[1] or now) or now, tonumber(job[2] or 0) or 0))
  end
  waits(redis.call('LINDEX', base .. 'wait', -1))
  local score = '-inf'
  for _ = 1, 200 do
    local first = redis.call('ZRANGEBYSCORE', base .. 'prioritized', score, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if #first == 0 then break end
    waits(first[1])
    score = string.format('%.0f', (math.floor(tonumber(first[2]) / 0x100000000) + 1) * 0x100000000)
  end
  local due = (now + 1) * 0x1000 - 1
  local late = redis.call('ZRANGEBYSCORE', base .. 'delayed', '-inf', string.format('%.0f', due), 'WITHSCORES', 'LIMIT', 0, 1)
  if #late > 0 then since = math.min(since, math.floor(tonumber(late[2]) / 0x1000)) end
  local running = 0
  local active = redis.call('LRANGE', base .. 'active', 0, -1)
  for _, id in ipairs(active) do
    running = running + math.max(0, now - (tonumber(redis.call('HGET', base .. id, 'processedOn') or now) or now))
  end
  return {
    now, redis.call('LLEN', base .. 'wait'), redis.call('ZCARD', base .. 'prioritized'),
    redis.call('ZCOUNT', base .. 'delayed', '-inf', string.format('%.0f', due)), #active, running, now - since,
    redis.call('ZCOUNT', base .. 'workers', now - ARGV[1], '+inf'),
    redis.call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration'),
    redis.call('GET', base .. 'wanted-workers'), redis.call('HGETALL', base .. 'throughput'),
    redis.call('ZCARD', base .. 'delayed'), redis.call('ZCARD', base .. 'failed')
  }`;

type Reply = [
  now: number,
  waiting: number,
  prioritized: number,
  delayedDue: number,
  active: number,
  activeMs: number,
  oldestMs: number,
  workers: number,
  meta: (string | null)[],
  wanted: string | null,
  throughput: string[],
  delayed: number,
  failed: number,
];

/** The load of a queue, with figures that the autoscaler does not need. */
export interface QueueState extends QueueLoad {
  /** Delayed, due or not. */
  delayed: number;
  /** Entries that BullMQ remembers as failed. */
  failed: number;
}

/**
 * The load of one queue in Redis and, by `promised`, in Postgres; rejects when Redis does not answer. A pause counts as
 * soon as Postgres has it, before Redis does.
 */
export async function readQueueLoad(
  queues: Pick<Queues, "client" | "prefix">,
  queue: string,
  promised: PromisedLoad | undefined,
  isToBePaused: boolean,
  pace = defaultPace,
): Promise<QueueState> {
  const reply = (await queues.client.eval(loadScript, 1, keysOf(queues, queue), pace.silentMs)) as Reply;
  const [nowMs, waiting, prioritized, delayedDue, active, activeMs, oldestMs, workers, meta, wanted, fields] = reply;
  const [paused, concurrency, max, duration] = meta;
  const pairs = Array.from({ length: fields.length / 2 }, (_, index) => fields.slice(2 * index, 2 * index + 2));
  return {
    waiting,
    prioritized,
    delayedDue,
    unpublished: promised?.jobs ?? 0,
    active,
    activeSeconds: activeMs / 1_000,
    ...summarise(Object.fromEntries(pairs), nowMs, pace),
    oldestReadyAgeSeconds: Math.max(oldestMs / 1_000, promised?.oldestSeconds ?? 0),
    workers,
    isPaused: isToBePaused || (paused ?? null) !== null,
    globalConcurrency: concurrency ? Number(concurrency) : null,
    startsPerSecond: max && duration ? (Number(max) * 1_000) / Number(duration) : null,
    wanted: wanted === null ? null : Number(wanted),
    delayed: reply[11],
    failed: reply[12],
  };
}

/** Whether a worker with free capacity would get a job now; undefined for a queue with limits, where it is unknown. */
export function hasReady({
  waiting,
  prioritized,
  delayedDue,
  isPaused,
  globalConcurrency,
  startsPerSecond,
}: QueueLoad) {
  if (isPaused || globalConcurrency !== null || startsPerSecond !== null) return false;
  return waiting + prioritized + delayedDue > 0;
}
