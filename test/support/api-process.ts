import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll } from "vitest";
import { freePort } from "../../dev/services/service.ts";
import type { TestApi } from "./api.ts";

/** Loaded first, it tells what a process holds; see `inside.ts`. */
export const inside = ["--import", "./test/support/inside.ts"];

/** API processes on the database, Redis, bucket and identity provider of `api`, and what they write. */
export function useApiProcesses(api: TestApi) {
  const running = new Set<ChildProcess>();

  /** Starts one and resolves when it listens; `output` grows with what it writes to stdout and stderr. */
  async function start(env: Record<string, string> = {}, options: readonly string[] = []) {
    const port = await freePort();
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, ["--import", "tsx", ...options, "src/api/main.ts"], {
      env: {
        PATH,
        HOME,
        ENVIRONMENT: "local",
        LOG_LEVEL: "debug",
        HOST: "127.0.0.1",
        PORT: String(port),
        OPS_PORT: "0",
        DATABASE_URL: String((api.db.options as { url?: string }).url),
        DATABASE_POOL_MAX: "4",
        ...api.redisEnv,
        QUEUE_PREFIX: api.queuePrefix,
        S3_ENDPOINT_URL: api.s3.endpoint,
        S3_BUCKET_NAME: api.s3.bucket,
        S3_ACCESS_KEY: api.s3.accessKey,
        S3_SECRET_KEY: api.s3.secretKey,
        BETTER_AUTH_URL: api.identity.url,
        DRAIN_TIMEOUT_MS: "2000",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    running.add(child);
    const started = { url: `http://127.0.0.1:${port}`, output: "", child };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        started.output += text;
      });
    }
    const ended = once(child, "exit").then(([code]) => {
      running.delete(child);
      throw new Error(`The API ended with exit code ${code}: ${started.output.slice(-2_000)}`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(child, "message"), ended]);
    return started;
  }

  afterAll(async () => {
    const ends = [...running].map((child) => once(child, "exit"));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(ends);
  });
  return { start };
}
