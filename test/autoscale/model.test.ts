import { describe, expect, test } from "vitest";
import { createHpa, type HpaSpec } from "./hpa.ts";
import { createKeda, scaledObject } from "./keda.ts";

const spec: HpaSpec = {
  minReplicas: 1,
  maxReplicas: 100,
  tolerance: 0.1,
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Percent", value: 100, periodSeconds: 15 },
      { type: "Pods", value: 4, periodSeconds: 15 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  },
};

/** Replicas after each sync. */
function run(changes: Partial<HpaSpec>, from: number, metrics: number[], everySeconds: number) {
  const hpa = createHpa({ ...spec, ...changes });
  let replicas = from;
  return metrics.map((metric, index) => {
    replicas = hpa.sync(replicas, metric, index * everySeconds);
    return replicas;
  });
}
const same = (metric: number, times: number) => Array.from({ length: times }, () => metric);

// The figures are those of the documents of Kubernetes, "Horizontal Pod Autoscaling".
describe("the model of the horizontal pod autoscaler", () => {
  test("scales down by 10 % or 4 pods a minute, whichever is more", () => {
    const scaleDown: HpaSpec["scaleDown"] = {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Pods", value: 4, periodSeconds: 60 },
        { type: "Percent", value: 10, periodSeconds: 60 },
      ],
    };
    const [first, second, ...rest] = run({ scaleDown }, 80, same(10, 12), 60);
    expect([first, second]).toEqual([72, 64]);
    const below40 = rest.filter((replicas) => replicas < 40);
    expect(below40.slice(0, 3)).toEqual([36, 32, 28]);
    expect(run({ scaleDown: { ...scaleDown, selectPolicy: "Min" } }, 80, same(10, 2), 60)).toEqual([76, 72]);
  });

  test("doubles or adds four pods every 15 s", () => {
    expect(run({}, 1, same(100, 6), 15)).toEqual([5, 10, 20, 40, 80, 100]);
  });

  test("counts what has changed within the period of a policy", () => {
    expect(run({}, 1, same(100, 4), 5)).toEqual([5, 5, 5, 10]);
  });

  test("scales down to the highest count of the window", () => {
    expect(run({}, 10, [8, 3, 3, ...same(3, 17), 3, 3], 15).slice(-3)).toEqual([8, 3, 3]);
  });

  test("ignores a change within the tolerance", () => {
    expect(run({}, 20, [21, 21.9], 15)).toEqual([20, 20]);
    expect(run({}, 20, [23], 15)).toEqual([23]);
  });
});

describe("the model of KEDA", () => {
  const tick = async (keda: ReturnType<typeof createKeda>, current: number, now: number, metric: number | Error) =>
    keda.tick(current, now, async () => {
      if (metric instanceof Error) throw metric;
      return metric;
    });

  test("wakes a workload at its next poll, and sends it to sleep after the cooldown alone", async () => {
    const keda = createKeda(scaledObject);
    expect(await tick(keda, 0, 100, 0)).toBe(0);
    expect(await tick(keda, 0, 103, 9)).toBe(0);
    expect(await tick(keda, 0, 105, 9)).toBe(1);
    expect(await tick(keda, 1, 110, 0)).toBe(1);
    expect(await tick(keda, 1, 220, 0)).toBe(1);
    expect(await tick(keda, 1, 225, 0)).toBe(0);
  });

  test("keeps the replicas that there are while the scaler fails", async () => {
    const keda = createKeda(scaledObject);
    for (let now = 0; now < 600; now += 5) expect(await tick(keda, 7, now, new Error("503"))).toBe(7);
  });

  test("starts no pod by a scaler that fails, until it has failed often enough to fall back", async () => {
    const keda = createKeda(scaledObject);
    const replicas: number[] = [];
    for (let now = 0; now < 40; now += 5) replicas.push(await tick(keda, replicas.at(-1) ?? 0, now, new Error("503")));
    expect(replicas.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(replicas.at(-1)).toBe(2);
  });
});
