import { setTimeout as sleep } from "node:timers/promises";
import {
  type Cluster,
  type ClusterOptions,
  concurrency,
  lockMs,
  type Moment,
  openCluster,
  type Policy,
} from "./cluster.ts";
import { scaledObject } from "./keda.ts";
import type { Servers } from "./servers.ts";
import { queue } from "./work.ts";

/** A figure with its goal. */
export interface Goal {
  id: string;
  what: string;
  value: number;
  limit: number;
  unit: string;
  /** It may never be missed, whatever else the machine does; the others need a quiet one. */
  certain?: boolean;
}

export interface Result {
  name: string;
  title: string;
  goals: Goal[];
  moments: Moment[];
  podSeconds: number;
}

type Steps = (cluster: Cluster, servers: Servers) => Promise<Goal[]>;

/** Seconds of the cluster in one of ours. */
const usualSpeed = 5;

/** What is usually done: as many workers as jobs that wait or run would fill, whatever they take. */
const countJobs: Policy = ({ inputs }) =>
  Math.min(scaledObject.maxReplicaCount, Math.ceil((inputs.ready + inputs.active) / concurrency));

async function play(
  servers: Servers,
  name: string,
  title: string,
  steps: Steps,
  options: Partial<ClusterOptions> = {},
): Promise<Result> {
  const cluster = await openCluster({ name, servers, speed: usualSpeed, ...options });
  try {
    const goals = await steps(cluster, servers);
    return { name, title, goals, moments: cluster.moments, podSeconds: (cluster.pods.podMs() / 1_000) * cluster.speed };
  } finally {
    await cluster.close();
  }
}

const goal = (id: string, what: string, value: number, limit: number, unit = "s"): Goal => ({
  id,
  what,
  value,
  limit,
  unit,
});

function percentile(values: readonly number[], part: number) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

async function waits(cluster: Cluster) {
  return (await cluster.naps()).map(({ waitSeconds }) => waitSeconds ?? Number.POSITIVE_INFINITY);
}

const lastDone = async (cluster: Cluster) =>
  Math.max(...(await cluster.naps()).map(({ doneSeconds }) => doneSeconds ?? Infinity));
const mostPods = ({ moments }: Cluster) => Math.max(...moments.map(({ replicas }) => replicas));

/** How often the number of pods changed its direction. */
function turns(moments: readonly Moment[]) {
  const steps = moments
    .map(({ replicas }, at) => Math.sign(replicas - (moments[at - 1]?.replicas ?? replicas)))
    .filter((step) => step !== 0);
  return steps.filter((step, at) => at > 0 && step !== steps[at - 1]).length;
}

/** Jobs that did not run to their end exactly once, or paid with an attempt. */
async function harmed(cluster: Cluster) {
  return (await cluster.naps()).filter(
    ({ state, failures, completions }) => state !== "succeeded" || failures > 0 || completions !== 1,
  ).length;
}

/** Polls a condition of the cluster until it holds; throws after so many of its seconds. */
async function until(cluster: Cluster, patience: number, what: string, holds: () => boolean | Promise<boolean>) {
  for (const end = cluster.seconds() + patience; !(await holds()); await cluster.wait(0.5)) {
    if (cluster.seconds() > end) throw new Error(`after ${patience} s still not: ${what}`);
  }
}

const firstJob: Steps = async (cluster) => {
  await cluster.promise(1, 0.1);
  await cluster.drained(60);
  return [
    goal("G1", "first job starts, from no pods, at the true speed of time", Math.max(...(await waits(cluster))), 10),
  ];
};

const burst =
  (priorities: readonly number[]): Steps =>
  async (cluster) => {
    await cluster.promise(600, 2, priorities);
    await cluster.drained(300);
    return [
      goal("G2", "drained", await lastDone(cluster), 100),
      goal("G2", "p95 of waits", percentile(await waits(cluster), 0.95), 95),
    ];
  };

const longJobs: Steps = async (cluster) => {
  await cluster.promise(12, 45);
  await cluster.drained(300);
  return [
    goal("G3", "p95 of waits", percentile(await waits(cluster), 0.95), 60),
    goal("G3", "most pods", mostPods(cluster), 6, "pods"),
  ];
};

/** As long as the load lasts that the goal of 40 % was measured with. */
const steadySeconds = 60;

const steady: Steps = async (cluster) => {
  for (let second = 0; second < steadySeconds; second++) {
    const due = cluster.seconds();
    await cluster.promise(2, 2);
    await cluster.wait(Math.max(0, 1 - (cluster.seconds() - due)));
  }
  await cluster.drained(60);
  // What a rush has started is paid for until the HPA has released it.
  await until(cluster, 900, "no pods", () => cluster.pods.running() === 0);
  return [
    goal("G4", "p95 of waits", percentile(await waits(cluster), 0.95), 20),
    goal("G4", "most pods", mostPods(cluster), 4, "pods"),
    goal("G4", "changes of direction", turns(cluster.moments), 2, "times"),
  ];
};

/** What may not happen even once, on any machine. */
const never = (id: string, what: string, value: number, unit: string): Goal => ({
  ...goal(id, what, value, 0, unit),
  certain: true,
});

const eviction: Steps = async (cluster) => {
  await cluster.promise(4, 150);
  await until(cluster, 300, "four jobs run", () => cluster.moments.at(-1)?.active === 4);
  await cluster.wait(30);
  const tookMs = await cluster.pods.evict();
  await cluster.drained(500);
  // No pod may be killed while all of them stop.
  await until(cluster, 400, "no pods", () => cluster.pods.running() === 0);
  const interruptions = (await cluster.naps()).reduce((sum, one) => sum + one.interruptions, 0);
  return [
    goal("G5", "pods killed because they outlasted their grace period", cluster.pods.killed(), 0, "pods"),
    never("G5", "jobs that ran to their end not exactly once, or lost an attempt", await harmed(cluster), "jobs"),
    goal("G5", "jobs handed back, of the two that ran in the evicted pod", 2 - interruptions, 0, "jobs missing"),
    goal("G5", "from the end of draining until the pod was gone", tookMs / 1_000 - 20 / cluster.speed, 1, "s of ours"),
  ];
};

const crash: Steps = async (cluster) => {
  await cluster.promise(1, 60);
  await until(cluster, 300, "it runs", () => cluster.moments.at(-1)?.active === 1);
  const died = cluster.seconds();
  cluster.pods.kill();
  await until(cluster, 200, "it runs elsewhere", async () => {
    const [one] = await cluster.naps();
    return (one?.crashes ?? 0) > 0 || one?.state === "succeeded";
  });
  const takeOverSeconds = (cluster.seconds() - died) / cluster.speed;
  await cluster.drained(200);
  const [one] = await cluster.naps();
  // lockDuration + 2 x stalledInterval of that queue, and KEDA's poll and a pod's start before any of them can look.
  const limit = (lockMs + 2 * 5_000) / 1_000 + 5;
  return [
    goal(
      "G6",
      "until another pod has the job of one that was killed, with no pod left",
      takeOverSeconds,
      limit,
      "s of ours",
    ),
    never("G6", "times that it ran to its end, beyond once", (one?.completions ?? 0) - 1, "times"),
  ];
};

const paused: Steps = async (cluster) => {
  const bull = cluster.queues.byName[queue];
  await bull.pause();
  await cluster.promise(1_000, 0.5);
  await until(cluster, 300, "1000 jobs wait", async () => (await bull.getWaitingCount()) === 1_000);
  await cluster.wait(30);
  const wanted = Math.max(...cluster.moments.slice(-20).map(({ desired }) => desired ?? 0));
  return [
    never("G7", "workers wanted for a paused queue of 1000 jobs", wanted, "workers"),
    never("G7", "pods that it got", cluster.pods.running(), "pods"),
  ];
};

const rateLimit: Steps = async (cluster) => {
  await cluster.queues.byName[queue].setGlobalRateLimit(5, 1_000);
  await cluster.promise(150, 1);
  await cluster.drained(300);
  // When a hundred runs were measured: the prior of 2 s, which counts as two runs, changes a slot no more.
  const later = cluster.moments.filter(({ seconds }) => seconds > 25);
  const workers = Math.max(...later.map(({ desired }) => desired ?? 0));
  // 5 slots are 3 workers of 2.
  return [goal("G7", "slots wanted at 5 starts a second of 1 s", workers * concurrency, 6, "slots")];
};

const outage: Steps = async (cluster, servers) => {
  const promiseSome = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await cluster.promise(2, 2);
      await cluster.wait(1);
    }
  };
  await promiseSome(60);
  const before = cluster.pods.replicas();
  await servers.stopRedis();
  const stopped = cluster.seconds();
  // An answer is remembered for half a second of ours, and is no older than that.
  const forgotten = sleep(600);
  let answers = 0;
  const asking = (async () => {
    await forgotten;
    while (cluster.seconds() < stopped + 60) {
      await cluster.ask().then(
        () => answers++,
        () => undefined,
      );
      await cluster.wait(2);
    }
  })();
  await promiseSome(60);
  await asking;
  const during = cluster.moments.filter(({ seconds }) => seconds > stopped && seconds < stopped + 60);
  const changes = during.filter(({ replicas }) => replicas !== before).length;
  await servers.startRedis();
  await cluster.drained(300);
  return [
    never("G8", "answers other than 503 while Redis was unavailable for 60 s", answers, "answers"),
    goal("G8", "moments with another number of pods than before", changes, 0, "moments"),
    never("G8", "jobs lost or done twice", await harmed(cluster), "jobs"),
  ];
};

const replicas: Steps = async (cluster) => {
  const differences: number[] = [];
  for (let round = 0; round < 20; round++) {
    await cluster.promise(15, 3);
    // 503 is no answer; that a number comes at all is what the other scenarios need.
    const answers = await Promise.all([cluster.ask(0), cluster.ask(1)]).catch(() => undefined);
    if (answers) differences.push(Math.abs(answers[0].desiredWorkers - answers[1].desiredWorkers));
    await cluster.wait(3);
  }
  return [
    goal(
      "G9",
      "most that two replicas differ by",
      differences.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...differences),
      1,
      "workers",
    ),
  ];
};

/** All scenarios; those that leave most of the machine alone run together. */
export async function playAll(
  servers: Servers,
  only: string | undefined,
  tell: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  const isWanted = (name: string) => only === undefined || only.split(",").includes(name);
  const together = async (...plays: [string, string, Steps, Partial<ClusterOptions>?][]) => {
    const wanted = plays.filter(([name]) => isWanted(name));
    const played = await Promise.all(wanted.map((one) => play(servers, ...one)));
    for (const result of played) tell(result);
    results.push(...played);
  };
  await together(["first-job", "First job, from no pods", firstJob, { speed: 1, startSeconds: 0, warmPods: 0 }]);
  await together(["burst", "600 jobs of 2 s at once", burst([10])]);
  await together(["burst-priorities", "600 jobs of 2 s at once, three priorities", burst([10, 50, 100])]);
  await together(
    ["long-jobs", "12 jobs of 45 s", longJobs],
    ["steady", "2 jobs of 2 s a second", steady, { warmPods: 5 }],
    ["steady-counted", "the same, scaled by the count of jobs", steady, { policy: countJobs }],
    ["eviction", "4 jobs of 150 s, a pod is evicted", eviction, { warmPods: 4 }],
    ["crash", "a pod is killed and none is left", crash, { warmPods: 2 }],
    ["replicas", "two replicas are asked at the same moment", replicas, { warmPods: 0, policy: () => 0 }],
    ["paused", "a paused queue of 1000 jobs", paused, { warmPods: 0 }],
    [
      "rate-limit",
      "5 starts a second are allowed, jobs of 1 s, at the true speed of time",
      rateLimit,
      { speed: 1, warmPods: 5 },
    ],
  );
  await together(["outage", "Redis is unavailable for 60 s", outage, { warmPods: 6 }]);
  compareSteady(results);
  return results;
}

/** The steady load by the count of jobs is the yardstick, and has no goals itself. */
function compareSteady(results: Result[]) {
  const [ours, counted] = ["steady", "steady-counted"].map((name) => results.find((one) => one.name === name));
  if (!ours || !counted) return;
  counted.goals = [];
  const share = (ours.podSeconds / counted.podSeconds) * 100;
  ours.goals.push(goal("G4", "pod-seconds, of those that the count of jobs takes", share, 40, "%"));
}
