import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface PodSettings {
  /** Processes that have loaded their program and wait to be told what to do. */
  warm: WarmProcesses;
  /** What a pod with this name is told. */
  message: (name: string) => object;
  /** From the request for a pod until its process begins; what is not told to wait has to load its program first. */
  startMs: number;
  graceMs: number;
}

export type WarmProcesses = ReturnType<typeof keepWarm>;

/**
 * Processes of one program, forked ahead of time: ten that start at once on two cores would take longer than the jobs
 * they are there for, and only say how slow this machine is.
 */
export function keepWarm(file: string) {
  const waiting: Promise<ChildProcess>[] = [];
  const fresh = async () => {
    const child = fork(file, [], {
      // Later ones load their modules in half the time.
      env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(file), "cache") },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    await once(child, "message");
    return child;
  };
  return {
    /** Loads so many more. */
    async add(count: number) {
      waiting.push(...Array.from({ length: count }, fresh));
      await Promise.all(waiting);
    },
    take: () => waiting.shift() ?? fresh(),
    async close() {
      for (const child of await Promise.all(waiting)) child.kill("SIGKILL");
    },
  };
}

interface Pod {
  child: ChildProcess | undefined;
  isReady: boolean;
  isEnding: boolean;
  startedAt: number;
}

/** Worker processes as a Deployment keeps them: as many as `replicas`, each new one started, each one too many ended. */
export function keepPods({ warm, message, startMs, graceMs }: PodSettings) {
  const pods = new Set<Pod>();
  let [wanted, number, killed, podMs, isClosing] = [0, 0, 0, 0, false];

  const gone = (pod: Pod) => {
    if (!pods.delete(pod)) return;
    podMs += performance.now() - pod.startedAt;
    reconcile();
  };
  const start = () => {
    const pod: Pod = { child: undefined, isReady: false, isEnding: false, startedAt: performance.now() };
    pods.add(pod);
    void begin(pod, `pod-${++number}`);
  };
  const begin = async (pod: Pod, name: string) => {
    const child = await warm.take();
    await sleep(Math.max(0, startMs - (performance.now() - pod.startedAt)));
    if (pod.isEnding || isClosing) {
      child.kill("SIGKILL");
      return gone(pod);
    }
    pod.child = child;
    child.once("exit", () => gone(pod));
    child.once("message", () => {
      pod.isReady = true;
    });
    child.send(message(name));
  };
  /** Resolves with how long it took in ms. */
  const end = async (pod: Pod) => {
    const began = performance.now();
    pod.isEnding = true;
    const { child } = pod;
    if (!child) return 0;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => {
      killed++;
      child.kill("SIGKILL");
    }, graceMs);
    await exit;
    clearTimeout(timer);
    return performance.now() - began;
  };
  const kept = () => [...pods].filter(({ isEnding }) => !isEnding);
  const reconcile = () => {
    if (isClosing) return;
    while (kept().length < wanted) start();
    // As a ReplicaSet chooses: what is not ready before what is, the newest first.
    const victims = kept().sort((a, b) => Number(a.isReady) - Number(b.isReady) || b.startedAt - a.startedAt);
    for (const pod of victims.slice(0, Math.max(0, victims.length - wanted))) void end(pod);
  };

  return {
    replicas: () => wanted,
    scale(replicas: number) {
      wanted = replicas;
      reconcile();
    },
    ready: () => kept().filter(({ isReady }) => isReady).length,
    running: () => pods.size,
    /** Pods that had to be killed because they outlasted their grace period. */
    killed: () => killed,
    /** Time that pods have existed, together. */
    podMs: () => podMs + [...pods].reduce((sum, { startedAt }) => sum + performance.now() - startedAt, 0),
    /** Ends the oldest pod softly, as a node that is drained does; resolves with how long that took in ms. */
    evict: async () => {
      const [pod] = kept();
      return pod ? end(pod) : 0;
    },
    /** Kills the oldest pod, and has as many fewer wanted. */
    kill() {
      const [pod] = kept();
      if (pod) pod.isEnding = true;
      wanted = Math.max(0, wanted - 1);
      pod?.child?.kill("SIGKILL");
    },
    async close() {
      isClosing = true;
      for (const { child } of pods) child?.kill("SIGKILL");
      while (pods.size > 0) await sleep(20);
    },
  };
}
