import { createHpa, type HpaSpec } from "./hpa.ts";

export interface ScaledObject {
  minReplicaCount: number;
  maxReplicaCount: number;
  pollingInterval: number;
  cooldownPeriod: number;
  /** After so many failures in a row there are at least these replicas, and never fewer than now. */
  fallback: { failureThreshold: number; replicas: number };
  behavior: Pick<HpaSpec, "scaleUp" | "scaleDown">;
}

/** The ScaledObject that the chart has. */
export const scaledObject: ScaledObject = {
  minReplicaCount: 0,
  maxReplicaCount: 10,
  pollingInterval: 5,
  cooldownPeriod: 120,
  fallback: { failureThreshold: 6, replicas: 2 },
  behavior: {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Pods", value: 5, periodSeconds: 15 },
        { type: "Percent", value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: 180,
      selectPolicy: "Min",
      policies: [
        { type: "Pods", value: 2, periodSeconds: 60 },
        { type: "Percent", value: 50, periodSeconds: 60 },
      ],
    },
  },
};

/** Seconds between two looks of the horizontal pod autoscaler. */
const syncSeconds = 15;

/**
 * KEDA as its documents describe it: it takes a workload from 0 to 1 and back itself, and leaves all between to the
 * horizontal pod autoscaler, which it serves the metric. `tick` is to be called often; it returns how many replicas there
 * should be now, given how many there are and how to get the metric (rejects: the scaler fails).
 */
export function createKeda(spec: ScaledObject) {
  const { minReplicaCount: min, maxReplicaCount, pollingInterval, cooldownPeriod, fallback } = spec;
  const hpa = createHpa({
    minReplicas: Math.max(1, min),
    maxReplicas: maxReplicaCount,
    tolerance: 0.1,
    ...spec.behavior,
  });
  let [polledAt, syncedAt, activeAt, failures] = [-Infinity, -Infinity, -Infinity, 0];

  const metricOf = async (read: () => Promise<number>, current: number) => {
    try {
      const metric = await read();
      failures = 0;
      return metric;
    } catch {
      failures++;
      return failures >= fallback.failureThreshold ? Math.max(current, fallback.replicas) : undefined;
    }
  };
  const poll = async (current: number, now: number, read: () => Promise<number>) => {
    const metric = await metricOf(read, current);
    if (metric === undefined) return current;
    if (metric > 0) {
      activeAt = now;
      return current === 0 ? Math.max(1, min) : current;
    }
    return min === 0 && now - activeAt >= cooldownPeriod ? 0 : current;
  };
  return {
    async tick(current: number, now: number, read: () => Promise<number>): Promise<number> {
      let replicas = current;
      if (now - polledAt >= pollingInterval) {
        polledAt = now;
        replicas = await poll(current, now, read);
      }
      if (now - syncedAt < syncSeconds) return replicas;
      syncedAt = now;
      // At 0 it is switched off, also at the moment when that ends.
      if (current === 0 || replicas === 0) return replicas;
      const metric = await metricOf(read, replicas);
      return metric === undefined ? replicas : hpa.sync(replicas, metric, now);
    },
  };
}
