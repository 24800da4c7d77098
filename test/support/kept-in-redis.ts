import type { Redis } from "ioredis";
import { connectOnce, mastersOf, type RedisAddress } from "../../src/platform/redis.ts";

/** Every key of one prefix, with all that lies under it, as text. */
export async function keptInRedis(address: RedisAddress, prefix: string): Promise<string[]> {
  const connection = await connectOnce(address);
  try {
    return (await Promise.all(mastersOf(connection).map((server) => keptIn(server, prefix)))).flat();
  } finally {
    connection.disconnect();
  }
}

async function keptIn(redis: Redis, prefix: string): Promise<string[]> {
  // In a cluster the prefix of a queue stands in braces.
  const keys = (await Promise.all([redis.keys(`${prefix}*`), redis.keys(`{${prefix}*`)])).flat();
  return Promise.all(keys.map(async (key) => `${key} ${await shown(redis, key)}`));
}

async function shown(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return String(await redis.get(key));
    case "hash":
      return JSON.stringify(await redis.hgetall(key));
    case "list":
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case "set":
      return JSON.stringify(await redis.smembers(key));
    case "zset":
      return JSON.stringify(await redis.zrange(key, 0, -1, "WITHSCORES"));
    case "stream":
      return JSON.stringify(await redis.xrange(key, "-", "+"));
    case "none":
      return "";
    default:
      throw new Error(`What is in a '${type}' of Redis is not read here: teach it`);
  }
}
