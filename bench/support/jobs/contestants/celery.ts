import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type Contestant, payloadOf, producers } from "../contestant.ts";

// Debian's, whatever other Python is on the path: that is where the package `celery` goes.
const python = "/usr/bin/python3";

/** Celery on Redis with late acknowledgements, so that a crash loses nothing: not a promise of Postgres. */
export const contestant: Contestant = {
  async producer(servers) {
    const child = start(["produce", String(producers)], servers.redisUrl);
    const waiting = new Map<number, (at: number) => void>();
    await eachLine(child, (n, at) => waiting.get(n)?.(at));
    return {
      one: (n) =>
        new Promise((resolve) => {
          waiting.set(n, (at) => {
            waiting.delete(n);
            resolve(at);
          });
          child.stdin?.write(`${n} ${payloadOf(n).note}\n`);
        }),
    };
  },
  async worker(servers, started, finished) {
    await eachLine(start(["work"], servers.redisUrl), (n, at) => {
      started(n, at);
      finished();
    });
  },
};

function start(args: string[], redisUrl: string) {
  return spawn(python, ["bench/support/jobs/contestants/celery-program.py", ...args], {
    env: { ...process.env, REDIS_URL: redisUrl },
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** Resolves when it has said that it is ready; from then on its lines are a number and a moment in seconds. */
function eachLine(child: ChildProcess, use: (n: number, at: number) => void) {
  const lines = createInterface({ input: child.stdout as Readable });
  return new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`Celery ended with ${code}`)));
    lines.on("line", (line) => {
      if (line === "ready") return resolve();
      const [n, seconds] = line.split(" ").map(Number);
      if (n !== undefined && seconds !== undefined) use(n, seconds * 1_000);
    });
  });
}
