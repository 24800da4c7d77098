import { setTimeout as sleep } from "node:timers/promises";
import { isPostgresUnavailable } from "../platform/postgres/errors.ts";
import type { WorkerContext } from "./context.ts";

const pollMs = 250;

/** Repeats a write while Postgres is unavailable and the run goes on: what it records has happened already. */
export async function untilWritten(
  { signal }: { signal: AbortSignal },
  { log }: WorkerContext,
  write: () => Promise<void>,
) {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isPostgresUnavailable(error) || signal.aborted) throw error;
      log.warn({ err: error }, "the outcome of a mail cannot be recorded yet");
      await sleep(pollMs, undefined, { signal });
    }
  }
}
