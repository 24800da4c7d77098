import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../dev/demo/random.ts";
import type { Timeline } from "../report/timeline.ts";
import type { Stack } from "../stack.ts";
import type { Fault } from "./catalogue.ts";

/** Faults of one server do not overlap: a Redis that is down cannot be flushed. */
const lastingMs = 12_000;

/**
 * Lets faults happen over a time, at moments of chance, and resolves when the last one is over. A long one goes on while
 * others begin, but no two are at the same server.
 */
export async function inflict(
  stack: Stack,
  random: Random,
  faults: readonly Fault[],
  { windowMs, timeline }: { windowMs: number; timeline: Timeline },
): Promise<void> {
  const began = Date.now();
  const busy = new Map<string, Promise<void>>();
  const running: Promise<void>[] = [];
  for (const [n, fault] of faults.entries()) {
    const dueAt = began + ((n + 0.2 + 0.6 * random.next()) / faults.length) * windowMs;
    await sleep(Math.max(0, dueAt - Date.now()));
    const server = serverOf(fault.name);
    await Promise.race([busy.get(server), sleep(lastingMs, undefined, { ref: false })]);
    const mark = timeline.mark(fault.name);
    const done = fault.run(stack, random).then(
      (what) => mark.end(what),
      (error: unknown) => mark.fail(error),
    );
    busy.set(server, done);
    running.push(done);
  }
  await Promise.all(running);
}

const serverOf = (name: string) =>
  ["Redis", "FLUSHALL"].some((word) => name.startsWith(word))
    ? "Redis"
    : (/^(Postgres|cut|SMTP|S3)/.exec(name)?.[0] ?? name);
