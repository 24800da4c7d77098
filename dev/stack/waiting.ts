import { availableParallelism, loadavg } from "node:os";
import { say } from "./console.ts";

const firstMs = 10_000;
const againMs = 30_000;

/** What is waited for, and since when. */
const waits = new Map<object, { name: string; since: number }>();
let timer: NodeJS.Timeout | undefined;
let saidAt = 0;

/** Gives what the promise gives; while that takes long, lines on the console say that it is waited for, and why. */
export async function waitFor<T>(name: string, work: Promise<T>): Promise<T> {
  const wait = {};
  waits.set(wait, { name, since: performance.now() });
  timer ??= setInterval(sayLong, 1_000);
  try {
    return await work;
  } finally {
    waits.delete(wait);
    if (waits.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }
}

/** Why things may take long, for people: how busy this machine is. */
export function whySlow([load = 0] = loadavg(), processors = availableParallelism()): string {
  const figures = `load ${load.toFixed(1)} on ${processors} processor${processors === 1 ? "" : "s"}`;
  return load > processors
    ? `this machine is busy: ${figures}`
    : `this machine may be slow or short of memory: ${figures}`;
}

function sayLong(): void {
  const now = performance.now();
  const long = [...waits.values()].filter(({ since }) => now - since >= firstMs);
  if (long.length === 0 || now - saidAt < againMs) return;
  saidAt = now;
  const names = [...new Set(long.map(({ name }) => name))].join(", ");
  const seconds = Math.round((now - Math.min(...long.map(({ since }) => since))) / 1_000);
  say(`waiting for ${names}, for ${seconds} s now (${whySlow()}). It goes on as long as there is progress.`);
}
