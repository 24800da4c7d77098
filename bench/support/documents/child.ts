import { readFileSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
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
  bytes: number;
}

const [name = "", seconds = "0"] = process.argv.slice(2);
const prepare = contestants[name];
if (!prepare) throw new Error(`No contestant is called '${name}'`);
const { make, warmUp, close } = await prepare();
await warmUp();

const status = (field: string) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1_024;
// The peak begins anew (proc(5)).
writeFileSync("/proc/self/clear_refs", "5");
const idleMb = status("VmRSS");
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const [cpuBefore, began] = [process.cpuUsage(), performance.now()];
let documents = 0;
let bytes = 0;
do {
  const made = await make();
  bytes = made;
  documents++;
} while (performance.now() - began < Number(seconds) * 1_000);
const { user, system } = process.cpuUsage(cpuBefore);
delay.disable();
const measured: Measured = {
  documents,
  seconds: (performance.now() - began) / 1_000,
  cpuSeconds: (user + system) / 1e6,
  aboveIdleMb: status("VmHWM") - idleMb,
  blockedMs: delay.max / 1e6,
  bytes,
};
await close();
console.log(JSON.stringify(measured));
