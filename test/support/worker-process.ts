import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll } from "vitest";
import type { QueueName } from "../../src/jobs/queues.ts";
import type { TestApi } from "./api.ts";

/** Worker processes that can be killed; those that are left at the end are. */
export function useWorkerProcesses(api: TestApi) {
  const running = new Set<ChildProcess>();

  /** Starts a worker of the images queue; resolves when it takes jobs; `output` grows with what it writes. */
  async function start(env: Record<string, string> = {}, options: readonly string[] = []) {
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, ["--import", "tsx", ...options, "src/workers/main.ts"], {
      env: {
        PATH,
        HOME,
        ENVIRONMENT: "local",
        LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? "silent",
        HOST: "127.0.0.1",
        OPS_PORT: "0",
        DATABASE_URL: String((api.db.options as { url?: string }).url),
        DATABASE_POOL_MAX: "4",
        ...api.redisEnv,
        QUEUE_PREFIX: api.queuePrefix,
        S3_ENDPOINT_URL: api.s3.endpoint,
        S3_BUCKET_NAME: api.s3.bucket,
        S3_ACCESS_KEY: api.s3.accessKey,
        S3_SECRET_KEY: api.s3.secretKey,
        WORKER_QUEUES: "images",
        DRAIN_TIMEOUT_MS: "5000",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const started = Object.assign(child, { output: "" });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        started.output += text;
      });
    }
    running.add(child);
    child.once("exit", () => running.delete(child));
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`The worker ended with exit code ${code} before it was ready: ${started.output.slice(-2_000)}`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(child, "message"), ended]);
    return started;
  }

  /** Ends a worker; resolves with its exit code and signal. */
  async function stop(child: ChildProcess, signal: NodeJS.Signals) {
    const ended = once(child, "exit");
    child.kill(signal);
    return (await ended) as [number | null, NodeJS.Signals | null];
  }

  /** Lets the time pass that a dead worker keeps its jobs of these queues; a new worker takes them with its next look. */
  async function endLeases(...names: QueueName[]) {
    await api.db.query("UPDATE job SET lease_until = now() WHERE state = 'running' AND queue = ANY($1)", [names]);
    const { client, byName } = api.queues;
    for (const queue of names.map((name) => byName[name])) {
      for (const { id = "" } of await queue.getActive()) {
        await client.del(queue.toKey(`${id}:lock`));
        await client.sadd(queue.toKey("stalled"), id);
      }
      await client.del(queue.toKey("stalled-check"));
    }
  }

  afterAll(async () => {
    await Promise.all([...running].map((child) => stop(child, "SIGKILL")));
  });
  return { start, stop, endLeases };
}
