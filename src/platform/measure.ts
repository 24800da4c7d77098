import { Gauge, type Registry } from "prom-client";
import { fieldsOf, mastersOf, type RedisConnection } from "./redis.ts";
import type { MailFault } from "./smtp-replies.ts";

export type Sample = [labels: Record<string, string>, value: number];

/** A gauge whose values are read at each scrape; it is absent while they are unknown. */
export function measure(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  ask: () => Promise<Sample[]>,
) {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      const samples = await ask().catch(() => []);
      this.reset();
      // A gauge without labels would be 0 after a reset, which was never measured.
      if (samples.length === 0 && labelNames.length === 0) this.remove();
      for (const [labels, value] of samples) this.set(labels, value);
    },
  });
}

/**
 * Adds the state of the queues' Redis: whether it answers, how full it is, whether it would evict jobs. Of the masters of
 * a cluster the worst one counts.
 */
export function measureRedis(registry: Registry, client: RedisConnection) {
  const isUp = () => client.status === "ready";
  const memory = async () => {
    if (!isUp()) throw new Error("Redis is unavailable");
    return Promise.all(mastersOf(client).map(async (server) => fieldsOf(await server.info("memory"))));
  };
  measure(registry, "jobs_redis_up", "1: this process reaches the Redis of the queues", [], async () => [
    [{}, isUp() ? 1 : 0],
  ]);
  measure(
    registry,
    "jobs_redis_memory_used_ratio",
    "Memory that Redis uses, as a share of its maxmemory or of all memory of its machine",
    [],
    async () => {
      const shares = (await memory()).map((info) => {
        const maxMemory = Number(info.get("maxmemory")) || Number(info.get("total_system_memory"));
        return maxMemory > 0 ? Number(info.get("used_memory")) / maxMemory : Number.NaN;
      });
      const known = shares.filter((share) => !Number.isNaN(share));
      return known.length > 0 ? [[{}, Math.max(...known)]] : [];
    },
  );
  measure(
    registry,
    "jobs_redis_eviction_policy_ok",
    "1: Redis refuses writes when it is full; 0: it would evict jobs",
    [],
    async () => [[{}, (await memory()).every((info) => info.get("maxmemory_policy") === "noeviction") ? 1 : 0]],
  );
}

/** Connections to Postgres of one process. */
export interface PoolState {
  busy: number;
  idle: number;
  /** Callers that wait for one. */
  waiting: number;
}

/** Adds the connections to Postgres. */
export function measurePool(registry: Registry, read: () => PoolState) {
  measure(
    registry,
    "db_pool_connections",
    "Connections to Postgres by state; waiting: callers that wait for one",
    ["state"],
    async () => Object.entries(read()).map(([state, count]) => [{ state }, count]),
  );
}

/** Money that arrived and matched no open sum, and waits for staff. */
export interface UnmatchedTotals {
  payments: number;
  roubles: number;
  /** How long the oldest of them has waited; 0 when there is none. */
  oldestSeconds: number;
}

/** Adds the money that waits for staff. */
export function measureUnmatched(registry: Registry, read: () => Promise<UnmatchedTotals>) {
  const shared = "the same from every worker: aggregate with max";
  const add = (name: string, help: string, key: keyof UnmatchedTotals) =>
    measure(registry, name, `${help}; ${shared}`, [], async () => [[{}, (await read())[key]]]);
  add("payments_unmatched", "Payments whose money matched no open sum, and that staff has not decided on", "payments");
  add("payments_unmatched_roubles", "The money of these payments that has not been given back", "roubles");
  add("payments_unmatched_oldest_seconds", "How long the oldest of these payments has waited", "oldestSeconds");
}

/** Adds whether the mail server refuses this installation, with the fault. */
export function measureMailServer(registry: Registry, fault: () => MailFault | undefined) {
  measure(
    registry,
    "mail_server_refuses",
    "1: the mail server refuses this installation or cannot be reached, and mails wait; absent: it does not",
    ["fault"],
    async () => {
      const now = fault();
      return now ? [[{ fault: now }, 1]] : [];
    },
  );
}
