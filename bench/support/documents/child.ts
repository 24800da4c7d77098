import { readFileSync, writeFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { contestants } from "./contestants.ts";

/** What one process measured of one kind of document. */
export interface Measured {
  /** How many were made. */
  documents: number;
  seconds: number;
  cpuSeconds: number;
  /** Peak memory of the process less what it had before the first one that is measured. */
  aboveIdleMb: number;
  /** The longest time in which nothing else could happen in it. */
  blockedMs: number;
  /** CPU of the thread in the turn that took most of it: what no other process on the machine has a share in. */
  turnMs: number;
  bytes: number;
}

const [name = "", seconds = "0"] = process.argv.slice(2);
const prepare = contestants[name];
if (!prepare) throw new Error(`No contestant is called '${name}'`);
const { make, warmUp, close } = await prepare();
await warmUp();

const status = (field: string) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1_024;
// Resets the peak (proc(5)).
writeFileSync("/proc/self/clear_refs", "5");
const idleMb = status("VmRSS");
const watch = watchTurns();
const [cpuBefore, began] = [process.cpuUsage(), performance.now()];
let documents = 0;
let bytes = 0;
do {
  const made = await make();
  bytes = made;
  documents++;
  // Each document is a job of its own, and others go on between them.
  await setImmediate();
} while (performance.now() - began < Number(seconds) * 1_000);
const { user, system } = process.cpuUsage(cpuBefore);
const blocks = watch.end();
const measured: Measured = {
  documents,
  seconds: (performance.now() - began) / 1_000,
  cpuSeconds: (user + system) / 1e6,
  aboveIdleMb: status("VmHWM") - idleMb,
  ...blocks,
  bytes,
};
await close();
console.log(JSON.stringify(measured));

/**
 * Measures every millisecond how long the loop was blocked; unlike monitorEventLoopDelay it sees a block at the end.
 */
function watchTurns() {
  const cpu = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  const longest = { blockedMs: 0, turnMs: 0 };
  let last = { at: performance.now(), cpu: cpu() };
  const look = () => {
    const now = { at: performance.now(), cpu: cpu() };
    longest.blockedMs = Math.max(longest.blockedMs, now.at - last.at);
    longest.turnMs = Math.max(longest.turnMs, now.cpu - last.cpu);
    last = now;
  };
  const timer = setInterval(look, 1);
  return {
    end() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}
