import { setTimeout as sleep } from "node:timers/promises";
import { killOne } from "../faults/catalogue.ts";
import { type Fire, runScenario } from "../run.ts";
import type { Gate } from "./gate.ts";

const usualMinutes = 30;
const jobsPerSecond = 20;
const killEveryMs = 10_000;
const steepestMbPerMinute = 1;
/** A process grows while it warms up. */
const warmUpShare = 0.3;

export const soakGate: Gate = {
  name: "SOAK",
  promise: `${jobsPerSecond} jobs a second and a kill every ${killEveryMs / 1_000} s for half an hour: memory and open files stay what they are.`,
  isLong: true,
  async run(options) {
    const { seed, log, progress } = options;
    const windowMs = (options.minutes ?? usualMinutes) * 60_000;
    const jobs = options.jobs ?? Math.round((windowMs / 1_000) * jobsPerSecond);
    const run = await runScenario({
      ...{ name: "SOAK", seed, jobs, windowMs, log, progress, isDirect: true },
      attack: (fire) => soak(fire, windowMs),
    });
    options.ran(run);
    return [run];
  },
};

interface Sample {
  minutes: number;
  rssMb: number;
  files: number;
}

/** Kills workers and the relay; the producer and the last worker live through it all and are measured. */
async function soak({ stack, random, timeline, complain, note }: Fire, windowMs: number) {
  const survivors = ["producer", "worker-3"];
  const samples = new Map(survivors.map((name) => [name, [] as Sample[]]));
  const victims = [killOne("worker-1"), killOne("worker-2"), killOne("relay")];
  for (const end = Date.now() + windowMs; Date.now() < end; await sleep(killEveryMs)) {
    const victim = random.pick(victims);
    const mark = timeline.mark(victim.name);
    mark.end(await victim.run(stack, random));
    for (const [name, list] of samples) {
      const use = stack.fleet.use()[name];
      if (use) list.push({ minutes: timeline.now() / 60_000, ...use });
    }
  }
  for (const [name, list] of samples) {
    const warm = list.slice(Math.floor(list.length * warmUpShare));
    const [mb, files] = [slope(warm, ({ rssMb }) => rssMb), slope(warm, (sample) => sample.files)];
    note(`${name}: ${mb.toFixed(2)} MB and ${files.toFixed(2)} files more each minute, after it was warm.`);
    if (mb > steepestMbPerMinute)
      complain(`${name} grew by ${mb.toFixed(2)} MB a minute (goal: ${steepestMbPerMinute})`);
    if (files > 1) complain(`${name} had ${files.toFixed(2)} more open files each minute`);
  }
}

/** Of the straight line that fits best. */
function slope(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [x, y] = [mean(({ minutes }) => minutes), mean(value)];
  const spread = samples.reduce((sum, { minutes }) => sum + (minutes - x) ** 2, 0);
  return spread === 0 ? 0 : samples.reduce((sum, one) => sum + (one.minutes - x) * (value(one) - y), 0) / spread;
}
