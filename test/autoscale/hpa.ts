/** One limit on how fast replicas change, as `autoscaling/v2` has it. */
export interface ScalingPolicy {
  type: "Pods" | "Percent";
  value: number;
  periodSeconds: number;
}

export interface ScalingRules {
  stabilizationWindowSeconds: number;
  selectPolicy: "Max" | "Min";
  policies: readonly ScalingPolicy[];
}

export interface HpaSpec {
  minReplicas: number;
  maxReplicas: number;
  /** Change that is too small to act on, as a part of 1. */
  tolerance: number;
  scaleUp: ScalingRules;
  scaleDown: ScalingRules;
}

interface Change {
  at: number;
  by: number;
}

/**
 * The horizontal pod autoscaler as its documents describe it, for one metric of the type AverageValue with target 1. Not
 * the controller itself, which needs a cluster: what it does with a recommendation is in here, what a cluster adds
 * (missing metrics of single pods, quotas) is not.
 */
export function createHpa(spec: HpaSpec) {
  const recommendations: { at: number; replicas: number }[] = [];
  const changes: Change[] = [];

  const stabilised = (replicas: number, now: number, current: number) => {
    recommendations.push({ at: now, replicas });
    const within = (seconds: number) =>
      recommendations.filter(({ at }) => at > now - seconds).map((one) => one.replicas);
    const up = Math.min(replicas, ...within(spec.scaleUp.stabilizationWindowSeconds));
    const down = Math.max(replicas, ...within(spec.scaleDown.stabilizationWindowSeconds));
    return Math.min(Math.max(current, up), down);
  };
  const changedBy = (sign: 1 | -1, seconds: number, now: number) =>
    changes
      .filter(({ at, by }) => at > now - seconds && Math.sign(by) === sign)
      .reduce((sum, { by }) => sum + Math.abs(by), 0);
  const most = (current: number, now: number) => {
    const { policies, selectPolicy } = spec.scaleUp;
    const limits = policies.map(({ type, value, periodSeconds }) => {
      const start = current - changedBy(1, periodSeconds, now) + changedBy(-1, periodSeconds, now);
      return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
    });
    return selectPolicy === "Max" ? Math.max(...limits) : Math.min(...limits);
  };
  const least = (current: number, now: number) => {
    const { policies, selectPolicy } = spec.scaleDown;
    const limits = policies.map(({ type, value, periodSeconds }) => {
      const start = current + changedBy(-1, periodSeconds, now) - changedBy(1, periodSeconds, now);
      return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
    });
    return selectPolicy === "Max" ? Math.min(...limits) : Math.max(...limits);
  };

  return {
    /** What replicas there should be, given the metric's sum over all pods; to be asked every 15 s. */
    sync(current: number, metric: number, now: number): number {
      if (current === 0) return 0;
      const isClose = Math.abs(1 - metric / current) <= spec.tolerance;
      const proposed = isClose ? current : Math.ceil(metric);
      const bounded = Math.min(spec.maxReplicas, Math.max(spec.minReplicas, proposed));
      const wanted = stabilised(bounded, now, current);
      const limited =
        wanted > current
          ? Math.min(wanted, Math.max(current, most(current, now)))
          : Math.max(wanted, Math.min(current, least(current, now)));
      const replicas = Math.min(spec.maxReplicas, Math.max(spec.minReplicas, limited));
      if (replicas !== current) changes.push({ at: now, by: replicas - current });
      return replicas;
    },
  };
}
