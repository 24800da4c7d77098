import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSecondsOfTree } from "../processes.ts";
import type { Order } from "./child.ts";
import type { Servers } from "./contestant.ts";

const longestMs = 300_000;

/** Where `bench/tsconfig.programs.json` puts the programs of the bench. */
const compiled = "var/bench/bench/support/jobs";

/** Starts a compiled program of the bench; it ends with this process. */
export function startProgram(name: string, args: string[], { databaseUrl, redisUrl }: Servers) {
  const { PATH, HOME } = process.env;
  return spawn(process.execPath, ["--max-semi-space-size=4", `${compiled}/${name}.js`, ...args], {
    env: { PATH, HOME, DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** The next message of a program that has this key. */
export async function hear(child: ChildProcess, key: string): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(longestMs);
  for await (const [message] of on(child, "message", { signal, close: ["exit"] })) {
    if (key in (message as object)) return message as Record<string, unknown>;
  }
  throw new Error(`A program of the bench ended with ${child.exitCode} instead of saying '${key}'`);
}

/** CPU microseconds for each job. */
export interface Costs {
  producer: number;
  worker: number;
  postgres: number;
  redis: number;
}

/** A contestant's two processes. */
export interface Team {
  /** Adds so many jobs one at a time, and returns how long each waited for its start, in milliseconds. */
  waits(count: number, way?: "one" | "unkicked"): Promise<number[]>;
  /** Adds so many as fast as it can; from the first add to the last finish. */
  flood(jobs: number, way: "one" | "page"): Promise<{ perSecond: number; costs: Costs }>;
  stop(): Promise<void>;
}

/** Starts a producer and a worker of a contestant. */
export async function openTeam(
  name: string,
  servers: Servers,
  pids: { postgres: number; redis: number },
): Promise<Team> {
  const [exitCode] = await once(startProgram("child", [name, "prepare"], servers), "exit");
  if (exitCode !== 0) throw new Error(`'${name}' cannot be prepared`);
  const [producer, worker] = ["producer", "worker"].map((role) => startProgram("child", [name, role], servers));
  if (!producer || !worker) throw new Error("there are two processes");
  await Promise.all([hear(producer, "ready"), hear(worker, "ready")]);
  const say = (child: ChildProcess, order: Order) => void child.send(order);

  let next = 0;
  const take = (count: number) => {
    next += count;
    return next - count;
  };
  const ready = async (count: number, isTimed: boolean) => {
    const counting = hear(worker, "counting");
    say(worker, { do: "count", count, isTimed });
    await counting;
    return hear(worker, "done");
  };
  const trees = { producer: Number(producer.pid), worker: Number(worker.pid), ...pids };
  const used = () => Object.entries(trees).map(([who, pid]) => [who, cpuSecondsOfTree(pid)] as const);

  return {
    async waits(count, way = "one") {
      const done = ready(count, true);
      await sleep(200);
      const added = hear(producer, "added");
      say(producer, { do: "one by one", way, from: take(count), count });
      const starts = new Map((await done).starts as [number, number][]);
      return ((await added).added as [number, number][]).map(([n, from]) => Number(starts.get(n)) - from);
    },
    async flood(jobs, way) {
      const done = ready(jobs, false);
      await sleep(300);
      const before = new Map(used());
      const flooding = hear(producer, "began");
      say(producer, { do: "flood", way, from: take(jobs), count: jobs });
      const ended = Number((await done).done);
      const began = Number((await flooding).began);
      const costs = used().map(([who, seconds]) => [who, ((seconds - Number(before.get(who))) / jobs) * 1e6]);
      return { perSecond: (jobs / (ended - began)) * 1_000, costs: Object.fromEntries(costs) as Costs };
    },
    async stop() {
      await Promise.all(
        [producer, worker].map(async (child) => {
          if (child.exitCode !== null) return;
          child.disconnect();
          await once(child, "exit");
        }),
      );
    },
  };
}
