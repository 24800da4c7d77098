import { setTimeout as sleep } from "node:timers/promises";
import { queuePrefix } from "../../../src/platform/redis.ts";
import { drainLimitMs, type Fire, type RunResult, runScenario } from "../run.ts";
import type { Stack } from "../stack.ts";
import type { Gate, GateOptions } from "./gate.ts";

const kills = 10;
const waiting = 2_000;
const running = 60;
/** Of the stock jobs; so that enough of them wait until the last kill, and all are done within the limit after it. */
const workMs = 1_000;
const workers = 4;
/** Half of them are mails, which are sent at once. */
const jobs = 9_000;
const windowMs = 10_000;
/** For the jobs that have to be at work before a kill. */
const patienceMs = 60_000;

const stateSql = `SELECT count(*) FILTER (WHERE state = 'running')::int AS running, count(*)::int AS unfinished
  FROM job WHERE entity_type = 'chaos' AND finished_at IS NULL`;

async function untilBusy({ postgres }: Stack): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(20)) {
    const [row] = await postgres.query<{ running: number; unfinished: number }>(stateSql);
    if (row && row.running >= running && row.unfinished - row.running >= waiting) return true;
  }
  return false;
}

async function killMasters({ stack, load, timeline, complain, note }: Fire, most: number) {
  const { group, prefix, fleet, role } = stack;
  if (!group) throw new Error("This run has no group of Redis servers");
  await load.done;
  const starts = Array.from({ length: workers }, (_, n) =>
    fleet.start(`worker-${n + 1}`, role("worker", { WORK_MS: String(workMs) })),
  );
  await Promise.all(starts);
  const elections: number[] = [];
  for (let n = 0; n < most; n++) {
    if (!(await untilBusy(stack))) {
      complain(`Master ${n + 1} was not killed: ${waiting} jobs did not wait with ${running} at work`);
      return;
    }
    const mark = timeline.mark("Redis master killed");
    const began = Date.now();
    const queue = n % 2 === 0 ? "maintenance" : "mail";
    await group.failOver(`${queuePrefix({ isCluster: true }, prefix, queue)}:${queue}:meta`);
    elections.push(Date.now() - began);
    mark.end(`the master of the queue ${queue}; another was elected after ${elections.at(-1)} ms`);
    await group.revive();
  }
  const [shortest, longest] = [Math.min(...elections), Math.max(...elections)];
  note(`${most} masters were killed, each with at least ${waiting} jobs waiting and ${running} at work.`);
  note(`Elections took ${shortest} to ${longest} ms.`);
}

async function runKind(options: GateOptions, redisGroup: "sentinel" | "cluster"): Promise<RunResult> {
  const { seed, log, progress, faults = kills } = options;
  const run = await runScenario({
    ...{ seed, log, progress, redisGroup, windowMs },
    name: redisGroup,
    jobs: options.jobs ?? jobs,
    // They come when all is promised.
    workers: 0,
    attack: (fire) => killMasters(fire, faults),
  });
  if (run.drainMs > drainLimitMs) run.violations.push(`Drained only ${run.drainMs} ms after the last election`);
  options.ran(run);
  return run;
}

export const failoverGate: Gate = {
  name: "FAILOVER",
  promise:
    "The master of Redis is killed ten times with 2,000 jobs waiting and 60 at work, behind sentinels and in a cluster: " +
    "none is lost or done twice, and all is done within 60 s of the last election.",
  isLong: true,
  async run(options) {
    return [await runKind(options, "sentinel"), await runKind(options, "cluster")];
  },
};
