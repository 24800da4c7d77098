import { contestants, type Work } from "./image-contestants.ts";

/** What one process measured: seconds, bytes of all images together, peak memory of the whole process in MB. */
export interface Measured {
  wall: number;
  cpu: number;
  bytes: number;
  peakMb: number;
}

const [name = "", inFlight = "2", ...paths] = process.argv.slice(2);
const contestant = contestants[name];
if (contestant === undefined) throw new Error(`No contestant is called '${name}'`);

const works = await Promise.all(paths.map(contestant));
// Once unmeasured: code is compiled, libraries are loaded.
await works[0]?.();

const [cpuBefore, wallBefore] = [process.cpuUsage(), performance.now()];
let bytes = 0;
const queue = works.values();
const lane = async (queued: Iterable<Work>) => {
  for (const work of queued) {
    const made = await work();
    bytes += made;
  }
};
await Promise.all(Array.from({ length: Number(inFlight) }, () => lane(queue)));

const { user, system } = process.cpuUsage(cpuBefore);
const measured: Measured = {
  wall: (performance.now() - wallBefore) / 1000,
  cpu: (user + system) / 1e6,
  bytes,
  peakMb: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(measured));
