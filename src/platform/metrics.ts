import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { packageVersion } from "./version.ts";

/** Counts by route and status until the next scrape. */
class Tally {
  private readonly counts = new Map<string, { route: string; status: number; count: number }>();

  /** The counter of one route and status; its holder counts with `count++`. */
  of(route: string, status: number) {
    const key = `${status} ${route}`;
    const known = this.counts.get(key) ?? { route, status, count: 0 };
    this.counts.set(key, known);
    return known;
  }

  drain(take: (route: string, status: number, count: number) => void) {
    for (const entry of this.counts.values()) {
      take(entry.route, entry.status, entry.count);
      entry.count = 0;
    }
  }
}

export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of one process; names and labels are public, see docs/metrics.md. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const info = { version: packageVersion() ?? "unknown", node: process.version };
  new Gauge({
    name: "jobs_build_info",
    help: "1; the labels say which code this process runs",
    labelNames: ["version", "node"],
    registers,
  }).set(info, 1);
  const ready = new Tally();
  return {
    registry,
    /**
     * Answers sent from memory, by route and status; only counted, since a histogram would cost more than the answer.
     */
    responseCacheHits: ready,
    responseCacheHitsTotal: new Counter({
      name: "http_response_cache_hits_total",
      help: "Answers that were sent from memory; http_request_duration_seconds does not count them",
      labelNames: ["route", "status"],
      registers,
      collect() {
        ready.drain((route, status, count) => this.inc({ route, status }, count));
      },
    }),
    httpDuration: new Histogram({
      name: "http_request_duration_seconds",
      help: "Time to answer, by route template",
      labelNames: ["method", "route", "status"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    retentionRemoved: new Counter({
      name: "retention_removed_total",
      help: "Rows and objects that were removed because they were old, by the line of RETENTION",
      labelNames: ["line"],
      registers,
    }),
    feedOffersWithoutPrice: new Gauge({
      name: "feed_offers_without_price",
      help: "Offers in stock that the last feed of this process leaves out, because they have no price",
      registers,
    }),
    cacheReads: new Counter({
      name: "cache_reads_total",
      help: "Reads through the cache, by where the value came from",
      labelNames: ["source"],
      registers,
    }),
  };
}
