import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "../fleet.ts";
import { type CrashPoint, crashPoints } from "../processes/crash-points.ts";
import { type Fire, runScenario } from "../run.ts";
import type { Stack } from "../stack.ts";
import type { Gate } from "./gate.ts";

const crashesAtEach = 20;
/** For all crashes at one point: a process takes a second or two to start, and is not the only one that comes there. */
const patienceMs = 600_000;
/** Promised as long as it takes. */
const jobs = 200_000;
const windowMs = 5_000_000;
const points = (Object.entries(crashPoints) as [keyof typeof crashPoints, readonly CrashPoint[]][]).flatMap(
  ([role, names]) => names.map((point) => ({ role, point })),
);

export const crashPointGate: Gate = {
  name: "CP",
  promise: `Processes die ${crashesAtEach} times at each of ${points.length} named points: nothing is lost or done twice.`,
  isLong: true,
  async run(options) {
    const { seed, log, progress } = options;
    const run = await runScenario({
      ...{ name: "CP", seed, jobs: options.jobs ?? jobs, windowMs, log, progress, workers: 2, isDirect: true },
      async attack(fire) {
        for (const { role, point } of points) await crashAt(fire, role, point);
        fire.load.close();
      },
    });
    options.ran(run);
    return [run];
  },
};

/** One process of the role is started with the point again and again; the others do the work that it leaves. */
async function crashAt({ stack, random, timeline, complain }: Fire, role: keyof typeof crashPoints, point: CrashPoint) {
  const { fleet } = stack;
  const name = role === "worker" ? "worker-1" : role;
  const mark = timeline.mark(`crash ${point}`);
  const { role: usual } = fleet.find(name);
  if (role === "relay") await change(fleet, "producer", { ONLY_SWEEP: "1" });
  const before = fleet.crashes(point);
  // A reconciler has something to do only when Redis has lost something, which takes seconds to bring about.
  const isBooks = point.startsWith("books.");
  const env = () => ({ ...usual.env, CRASH_AT: `${point}:${isBooks ? 1 : random.int(1, 3)}` });
  fleet.find(name).role = { ...usual, env: env() };
  fleet.kill(name);
  let crashed = 0;
  for (const end = Date.now() + patienceMs; crashed < crashesAtEach && Date.now() < end; await sleep(50)) {
    crashed = fleet.crashes(point) - before;
    fleet.find(name).role.env = env();
    if (isBooks) await loseWaitingJobs(stack);
  }
  fleet.find(name).role = usual;
  fleet.kill(name);
  await fleet.untilReady(name);
  if (role === "relay") await change(fleet, "producer", { ONLY_SWEEP: "" });
  mark.end(`${name}, ${crashed} times`);
  if (crashed < crashesAtEach) complain(`Only ${crashed} of ${crashesAtEach} crashes came about at ${point}`);
}

/** Starts a process again with other settings; empty ones are left out. */
async function change(fleet: Fleet, name: string, more: Record<string, string>) {
  const { role } = fleet.find(name);
  const env = Object.fromEntries(Object.entries({ ...role.env, ...more }).filter(([, value]) => value !== ""));
  await fleet.roll(name, { ...role, env });
  await fleet.untilReady(name);
}

/** While no worker runs, jobs pile up in Redis, and are gone. */
async function loseWaitingJobs({ fleet, redis }: Stack) {
  const frozen = fleet.names("worker").map((name) => fleet.freeze(name, 3_000));
  await sleep(1_000);
  await redis.flush();
  await Promise.all(frozen);
}
