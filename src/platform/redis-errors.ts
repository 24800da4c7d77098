import { isNetworkError } from "../errors.ts";

const known = new WeakSet<object>();

/** Remembers that the client of Redis threw this error, and returns it. */
export function fromRedis<Thrown extends Error>(error: Thrown): Thrown {
  known.add(error);
  return error;
}

const answers =
  /^(?:DENIED|OOM|READONLY|LOADING|MISCONF|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|NOAUTH|WRONGPASS|NOPERM|UNBLOCKED|MOVED|ASK|CROSSSLOT)\b/;
const failures =
  /Connection is closed|Command timed out|Command aborted|Socket timeout|max retries per request|isn't (?:writeable|ready)|Too many Cluster redirections|Failed to refresh slots cache|None of startup nodes is available|sentinels are unreachable/;

/** True when a command of one of our connections failed since Redis is unavailable, full, not ready or not as set. */
export function isRedisUnavailable(error: unknown) {
  return error instanceof Error && known.has(error) && isRedisTrouble(error);
}

/**
 * True when an error says that Redis is unavailable, full, not ready or not as set, rather than the command wrong. For
 * places that call no other server: it takes the connection errors of any.
 */
export function isRedisTrouble(error: unknown) {
  const text = error instanceof Error ? error.message : String(error);
  return isNetworkError(error) || answers.test(text) || failures.test(text);
}

const cluster = "This Redis is a cluster: name some of its servers in REDIS_CLUSTER_NODES instead of REDIS_URL.";

/** What to do, by the first word of an answer of Redis. */
const advice: Readonly<Record<string, string>> = {
  CROSSSLOT: cluster,
  MOVED: cluster,
  ASK: cluster,
  CLUSTERDOWN: "The cluster lacks a master for some keys: look at CLUSTER INFO, and start its servers.",
  NOAUTH: "Redis requires a password: put it into REDIS_URL, or with sentinels or a cluster into REDIS_PASSWORD.",
  WRONGPASS: "Redis refuses this user or password: correct it in REDIS_URL or REDIS_PASSWORD.",
  NOPERM: "The user of Redis lacks rights: docs/infrastructure.md lists those that are needed.",
  READONLY: "This Redis is a replica: name the sentinels in REDIS_SENTINELS, or lead REDIS_URL to the master.",
  LOADING: "Redis reads its data from disk, and answers when it is done.",
  MASTERDOWN: "This replica has lost its master: wait for the election, or start the master.",
  MISCONF: "Redis cannot write to its disk: read its log, and make room.",
  OOM: "Redis is full: see docs/runbook/redis-memory-high.md.",
};

/** A sentence on what to do about an error of Redis; undefined for other errors, and where their text says enough. */
export function adviceOnRedis(error: unknown): string | undefined {
  if (!(error instanceof Error) || !known.has(error)) return undefined;
  const { message, cause, lastNodeError } = error as Error & { lastNodeError?: unknown };
  const texts = [error, lastNodeError, cause].map((one) => (one instanceof Error ? one.message : ""));
  if (/cluster support disabled/.test(texts.join(" ")))
    return "This Redis is not a cluster: set REDIS_URL instead of REDIS_CLUSTER_NODES.";
  if (/sentinels are unreachable/.test(message))
    return "No sentinel of REDIS_SENTINELS names a master: start them, or correct REDIS_SENTINELS, REDIS_SENTINEL_NAME and REDIS_SENTINEL_PASSWORD.";
  for (const text of texts) {
    const found = /\b([A-Z]{3,11})\b/g;
    for (const [, word = ""] of text.matchAll(found)) if (advice[word]) return advice[word];
  }
  return undefined;
}
