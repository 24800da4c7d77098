import { hash } from "node:crypto";
import type { Log } from "./logger.ts";
import { cacheConnection, type RedisAddress, type RedisConnection, subscriberConnection } from "./redis.ts";

/** A cached answer: the bytes to send, and their strong ETag, computed when they were stored. */
export interface CachedBody {
  bytes: Buffer;
  etag: string;
  /** True as long as `read` would return this very answer from memory. */
  isFresh(): boolean;
}

export interface Cache {
  /**
   * The answer stored under `key`, or what `load` returns (an object, or `jsonBytes`); this process runs one load of a
   * key at a time. `isWorthKeeping` is asked after the load. The entry belongs to `tag`, and every process drops it
   * when that tag is invalidated. Never fails because of Redis.
   */
  read(tag: string, key: string, load: () => Promise<unknown>, isWorthKeeping?: () => boolean): Promise<CachedBody>;
  /** What `read` would return from memory; undefined: it would have to ask Redis or `load`. */
  peek(tag: string, key: string): CachedBody | undefined;
  /**
   * Drops all entries of a tag; call it after the commit. In this process it takes effect at once, so an answer need
   * not wait for the promise, which resolves when Redis has the change or is found to be unavailable.
   */
  invalidate(tag: string): Promise<void>;
  close(): void;
}

interface Entry {
  bytes: Buffer;
  etag: string;
  /** Milliseconds since 1970; the same for every copy of the entry. */
  expires: number;
}

interface LocalEntry extends Entry, CachedBody {
  tag: string;
}

export interface CacheOptions {
  /** Prefix of all its keys. */
  prefix: string;
  log: Log;
  /** Called for each read with where its value came from. */
  count?: (source: "local" | "redis" | "load") => void;
}

/** How long a reader may see an old value when the process that changed it died before the invalidation. */
const ttlSeconds = 60;
/** What one process keeps: number of entries, and bytes of all entries together. */
const localLimits = { entries: 500, bytes: 24 * 1024 * 1024 };
/**
 * What one process writes to Redis within the life of an entry, so that Redis holds at most twice as much of it. There
 * are tens of thousands of pages to ask for, and the queues may be in the same Redis.
 */
const sharedBytes = 24 * 1024 * 1024;
/** Bytes that Redis needs for an entry besides its value. */
const entryBytes = 200;
const retryMs = 1_000;

/** A cache on connections of its own: one for commands, one that subscribes to the invalidations of other processes. */
export function openCache(address: RedisAddress, options: CacheOptions): Cache {
  return createCache(cacheConnection(address, options.log), subscriberConnection(address, options.log), options);
}

/**
 * Read-through cache in two layers: a copy in this process, evicted by a message of the process that invalidates, and
 * Redis. Each tag has a generation in its keys: raising it drops the whole tag, and a slow loader cannot bring old
 * values back.
 */
function createCache(
  redis: RedisConnection,
  subscriber: RedisConnection,
  { prefix, log, count = () => {} }: CacheOptions,
): Cache {
  const local = new Map<string, LocalEntry>();
  let size = 0;
  const loading = new Map<string, Promise<CachedBody>>();
  /** Invalidations that Redis does not have yet, by tag; the newest of each counts. */
  const pendingInvalidations = new Map<string, number>();
  const channel = `${prefix}:invalidated`;
  const generationKey = (tag: string) => `${prefix}:generation:${tag}`;
  /** Rises with each invalidation that this process sees; a load that began before one is not kept. */
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
      log.warn({ err: error, tag }, "cache not invalidated yet; trying again");
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

  /** Undefined: Redis is unavailable or lacks an invalidation. It may then be neither read nor written. */
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
    // The value may be built from other cached answers, and lack a change that was announced during the load.
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

/** A value that is JSON already, so that `bytesOf` need not serialize it; to all other code it is an object. */
export function jsonBytes(bytes: Buffer): object {
  return { [json]: bytes, toJSON: () => JSON.parse(bytes.toString()) } satisfies JsonBytes;
}

/** A value as JSON; costs nothing for `jsonBytes`. */
export function bytesOf(value: unknown): Buffer {
  return (value as Partial<JsonBytes> | null | undefined)?.[json] ?? Buffer.from(JSON.stringify(value));
}

/** A key's digest for Redis: many people can see names there, and some keys contain what a user searched for. */
const digestOf = (key: string) => hash("sha256", key, "base64url").slice(0, 22);

/** The strong ETag of a body: the same bytes have the same tag in every process. */
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
