import { hash } from "node:crypto";
import type { Log } from "./logger.ts";
import { cacheConnection, type RedisConnection, subscriberConnection } from "./redis.ts";

/** A cached answer: the bytes to send and the strong ETag that was made of them when they were stored. */
export interface CachedBody {
  bytes: Buffer;
  etag: string;
  /** True as long as `read` would give this very answer from memory. */
  isFresh(): boolean;
}

export interface Cache {
  /**
   * The answer stored under `key`, or what `load` makes of it (an object, or `jsonBytes`); one load at a time for a key in
   * this process.
   * `isWorthKeeping` is asked after the load. Belongs to `tag`, and is gone for everybody when that tag is invalidated. Never fails because of Redis.
   */
  read(tag: string, key: string, load: () => Promise<unknown>, isWorthKeeping?: () => boolean): Promise<CachedBody>;
  /** What `read` would give from memory; undefined: it would have to ask somebody. */
  peek(tag: string, key: string): CachedBody | undefined;
  /**
   * Drops all that was stored under a tag; call it after the commit. In this process it holds from the moment of the
   * call, so an answer need not wait for the promise, which resolves when Redis knows or is found to be away.
   */
  invalidate(tag: string): Promise<void>;
  close(): void;
}

interface Entry {
  bytes: Buffer;
  etag: string;
  /** Milliseconds since 1970; the same wherever a copy of it lies. */
  expires: number;
}

interface LocalEntry extends Entry, CachedBody {
  tag: string;
}

export interface CacheOptions {
  /** First part of all its keys. */
  prefix: string;
  log: Log;
  /** Told of each read where its value came from. */
  count?: (source: "local" | "redis" | "load") => void;
}

/** How long a reader may see an old value when the process that changed it died before saying so. */
const ttlSeconds = 60;
/** What one process keeps: entries, and bytes in all of them. */
const localLimits = { entries: 500, bytes: 24 * 1024 * 1024 };
/**
 * What one process puts into Redis within the life of an entry, so that twice as much of it lies there at most. There are
 * ten thousands of pages to ask for, and the queues may be in the same Redis.
 */
const sharedBytes = 24 * 1024 * 1024;
/** What Redis needs for an entry besides its bytes. */
const entryBytes = 200;
const retryMs = 1_000;

/** A cache on connections of its own: one for commands, one for being told of changes by other processes. */
export function openCache(url: string, options: CacheOptions): Cache {
  return createCache(cacheConnection(url, options.log), subscriberConnection(url, options.log), options);
}

/**
 * Read-through cache in two layers: a copy in this process, dropped by a message from whoever invalidates, and Redis.
 * Each tag has a generation in its keys: raising it drops the whole tag, and a slow loader cannot bring old values back.
 */
function createCache(
  redis: RedisConnection,
  subscriber: RedisConnection,
  { prefix, log, count = () => {} }: CacheOptions,
): Cache {
  const local = new Map<string, LocalEntry>();
  let size = 0;
  const loading = new Map<string, Promise<CachedBody>>();
  /** Invalidations that Redis does not know yet, by tag; the newest of each counts. */
  const pendingInvalidations = new Map<string, number>();
  const channel = `${prefix}:invalidated`;
  const generationKey = (tag: string) => `${prefix}:generation:${tag}`;
  /** Rises with each invalidation seen here; a load that began before one is not kept. */
  let epoch = 0;
  let listening = false;

  const evict = (id: string) => {
    size -= local.get(id)?.bytes.length ?? 0;
    local.delete(id);
  };
  const dropLocal = (tag?: string) => {
    epoch++;
    for (const [id, entry] of local) if (tag === undefined || entry.tag === tag) evict(id);
    for (const key of loading.keys()) if (tag === undefined || key.startsWith(`${tag}|`)) loading.delete(key);
  };
  const onDisconnect = () => {
    listening = false;
    dropLocal();
  };
  const listen = () =>
    subscriber.subscribe(channel).then(
      () => {
        dropLocal();
        listening = true;
      },
      () => undefined,
    );
  subscriber.on("message", (_channel, tag) => dropLocal(tag));
  subscriber.on("close", onDisconnect);
  subscriber.on("ready", listen);
  const publish = async (tag: string) => {
    const pending = pendingInvalidations.get(tag);
    try {
      await redis.multi().incr(generationKey(tag)).publish(channel, tag).exec();
      if (pendingInvalidations.get(tag) === pending) pendingInvalidations.delete(tag);
    } catch (error) {
      log.warn({ err: error, tag }, "cache not invalidated yet; it is tried again");
      setTimeout(() => pendingInvalidations.has(tag) && publish(tag), retryMs).unref();
    }
  };

  const keep = (id: string, tag: string, value: Entry, began: number): CachedBody => {
    if (!listening || epoch !== began) return { ...value, isFresh: () => false };
    const entry: LocalEntry = { ...value, tag, isFresh: () => local.get(id) === entry && entry.expires > Date.now() };
    evict(id);
    for (const oldest of local.keys()) {
      if (local.size < localLimits.entries && size + entry.bytes.length <= localLimits.bytes) break;
      evict(oldest);
    }
    local.set(id, entry);
    size += entry.bytes.length;
    return entry;
  };

  const spent = { bytes: 0, until: 0 };
  const maySpend = (bytes: number) => {
    const now = performance.now();
    if (now >= spent.until) Object.assign(spent, { bytes: 0, until: now + ttlSeconds * 1_000 });
    if (spent.bytes + bytes > sharedBytes) return false;
    spent.bytes += bytes;
    return true;
  };

  /** Undefined: Redis is away, or a change could not be told yet. Nothing may be read from it or stored in it then. */
  const generationOf = (tag: string) =>
    pendingInvalidations.has(tag) ? undefined : redis.get(generationKey(tag)).catch(() => undefined);

  const fetchOrLoad = async (
    id: string,
    tag: string,
    key: string,
    load: () => Promise<unknown>,
    isWorth = () => true,
  ): Promise<CachedBody> => {
    const began = epoch;
    const generation = await generationOf(tag);
    const place = generation === undefined ? undefined : `${prefix}:${tag}:${generation ?? 0}:${digestOf(key)}`;
    const hit = place && (await redis.getBuffer(place).catch(() => null));
    if (hit) {
      count("redis");
      return keep(id, tag, unpack(hit), began);
    }
    count("load");
    const bytes = bytesOf(await load());
    const loaded = { bytes, etag: etagOf(bytes), expires: Date.now() + ttlSeconds * 1_000 };
    if (!isWorth()) return { ...loaded, isFresh: () => false };
    // A change that was heard of meanwhile may be missing in what was put together from other answers in memory.
    if (place && epoch === began && maySpend(bytes.length + entryBytes))
      await redis.set(place, pack(loaded), "EX", ttlSeconds).catch(() => undefined);
    return keep(id, tag, loaded, began);
  };

  return {
    async read(tag, key, load, isWorthKeeping) {
      const id = `${tag}|${key}`;
      const entry = local.get(id);
      if (entry?.isFresh()) {
        count("local");
        return entry;
      }
      const running = loading.get(id);
      if (running !== undefined) return running;
      const promise = fetchOrLoad(id, tag, key, load, isWorthKeeping).finally(() => {
        if (loading.get(id) === promise) loading.delete(id);
      });
      loading.set(id, promise);
      return promise;
    },
    peek(tag, key) {
      const entry = local.get(`${tag}|${key}`);
      return entry?.isFresh() ? entry : undefined;
    },
    invalidate(tag) {
      dropLocal(tag);
      pendingInvalidations.set(tag, epoch);
      return publish(tag);
    },
    close: () => {
      subscriber.off("close", onDisconnect);
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

const json = Symbol("json");

interface JsonBytes {
  [json]: Buffer;
  toJSON(): unknown;
}

/** A value that is JSON already, so that `bytesOf` need not make it; for whoever does not know that, it is an object. */
export function jsonBytes(bytes: Buffer): object {
  return { [json]: bytes, toJSON: () => JSON.parse(bytes.toString()) } satisfies JsonBytes;
}

/** A value as JSON, which costs nothing for `jsonBytes`. */
export function bytesOf(value: unknown): Buffer {
  return (value as Partial<JsonBytes> | null | undefined)?.[json] ?? Buffer.from(JSON.stringify(value));
}

/** What stands for a key in Redis, whose names are for many eyes: some keys have what somebody searched for in them. */
const digestOf = (key: string) => hash("sha256", key, "base64url").slice(0, 22);

/** The strong ETag of a body: the same bytes, the same tag, in every process. */
export function etagOf(bytes: Buffer) {
  return `"${hash("sha256", bytes, "base64url").slice(0, 22)}"`;
}

function pack({ expires, etag, bytes }: Entry) {
  return Buffer.concat([Buffer.from(`${expires} ${etag} `), bytes]);
}

function unpack(stored: Buffer): Entry {
  const afterTime = stored.indexOf(" ") + 1;
  const afterTag = stored.indexOf(" ", afterTime) + 1;
  return {
    expires: Number(stored.toString("latin1", 0, afterTime)),
    etag: stored.toString("latin1", afterTime, afterTag - 1),
    bytes: stored.subarray(afterTag),
  };
}
