import { setTimeout as sleep } from "node:timers/promises";
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { UnavailableError } from "../../errors.ts";
import type { Log } from "../../platform/logger.ts";
import { tlsFault } from "../../platform/tls.ts";

const timeoutMs = 3_000;
const maxBodyBytes = 256 * 1024;
/** Issuers have one key or two, and a few more while they change them. */
const maxKeys = 100;
/** The issuer is asked no more often than this, whatever tokens come. */
const lookUpEveryMs = 5_000;
/** A key that the issuer has withdrawn is refused after so long. */
const maxAgeMs = 10 * 60_000;
/** How long the last known keys are used while the issuer is unavailable. */
const outageMs = 60 * 60_000;
/** Tokens that wait for a look-up, and key ids that are remembered until the next one. */
const maxWaiting = 1_000;
const maxRememberedLength = 256;

/** The public keys of one issuer. */
export interface TrustedKeys {
  /**
   * The key that signed a token. Looks an unknown key id up at once, or as soon as five seconds have passed since the
   * last look-up; so it throws `JWKSNoMatchingKey` only when a key set that was fetched after the key id had come lacks
   * it. Throws `UnavailableError` while the issuer cannot be asked and the key is not among those last seen, which stay
   * valid for an hour, and when too many tokens wait; `JWKSMultipleMatchingKeys` when several keys share the id.
   */
  find: JWTVerifyGetKey;
  /** As `find`, among the keys that are known; an unknown key id asks no issuer. */
  findKnown: JWTVerifyGetKey;
}

interface KeySet {
  find: JWTVerifyGetKey;
  /** When it was asked for, and when it came, by `performance.now()`. */
  askedAt: number;
  fetchedAt: number;
}

/** Fetches the keys at this address when a token needs them; a redirect, or more than 100 keys, is a failed look-up. */
export function trustedKeys(url: string, log: Log): TrustedKeys {
  let known: KeySet | undefined;
  let running: Promise<void> | undefined;
  let lastAskedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let waiting = 0;
  /** Key ids that `known` lacks although it was fetched after they had come. */
  let absent = new Set<string>();

  const untilNextLookUp = () => lastAskedAt + lookUpEveryMs - performance.now();

  async function lookUp() {
    const barredMs = untilNextLookUp();
    if (barredMs > 0) await sleep(barredMs, undefined, { ref: false });
    const askedAt = performance.now();
    lastAskedAt = askedAt;
    try {
      const find = finderIn(await fetchKeys(url));
      known = { find, askedAt, fetchedAt: performance.now() };
      absent = new Set();
      if (failure) log.info({ url }, "The identity provider's keys can be read again");
      failure = undefined;
    } catch (error) {
      if (!failure)
        log.warn({ err: error, url }, "The identity provider's keys cannot be read: those last seen are used");
      failure = error;
    }
  }

  /** Waits for the look-up that runs or comes next; throws when it fails, or must be expected to. */
  async function refresh() {
    if (failure && untilNextLookUp() > 0) throw unavailable();
    running ??= lookUp().finally(() => {
      running = undefined;
    });
    await running;
    if (failure) throw unavailable();
  }

  const unavailable = () =>
    new UnavailableError(tlsFault(failure, "the identity provider") ?? "The identity provider cannot be reached", {
      cause: failure,
    });

  /** Key set that is valid now; an old one is used while the issuer fails. */
  async function current(): Promise<KeySet> {
    const age = () => (known ? performance.now() - known.fetchedAt : Number.POSITIVE_INFINITY);
    if (age() > maxAgeMs) {
      const isRefreshed = refresh().catch(() => undefined);
      if (!known || !failure) await isRefreshed;
    }
    if (!known || age() > outageMs) throw unavailable();
    return known;
  }

  /** Throws when a key set that was asked for since then lacks the key id; else waits for the next look-up. */
  async function lookUpMissing(kid: string, cameAt: number, { askedAt }: KeySet, missing: unknown) {
    if (absent.has(kid)) throw missing;
    if (askedAt >= cameAt) {
      if (absent.size < maxWaiting && kid.length <= maxRememberedLength) absent.add(kid);
      throw missing;
    }
    if (waiting >= maxWaiting) throw new UnavailableError("Too many tokens wait for the identity provider");
    waiting++;
    await refresh().finally(() => waiting--);
  }

  return {
    async find(header, token) {
      const cameAt = performance.now();
      for (;;) {
        const keySet = await current();
        try {
          return await keySet.find(header, token);
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
          await lookUpMissing(String(header?.kid), cameAt, keySet, error);
        }
      }
    },
    findKnown: async (header, token) => (await current()).find(header, token),
  };
}

/** A key that cannot be read is as good as none (RFC 7517, 5). */
function finderIn(keys: JSONWebKeySet): JWTVerifyGetKey {
  const find = createLocalJWKSet(keys);
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new errors.JWKSNoMatchingKey(undefined, { cause: error });
    }
  };
}

async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(url, { signal, redirect: "error", headers: { accept: "application/json" } });
  if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
  const { keys } = JSON.parse(await readBounded(answer)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("it answered no key set");
  if (keys.length > maxKeys) throw new Error(`its key set has ${keys.length} keys, more than ${maxKeys}`);
  return { keys: keys.filter((key) => typeof key === "object" && key !== null && !Array.isArray(key)) };
}

async function readBounded(answer: Response) {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error("its key set is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
