import { setTimeout as sleep } from "node:timers/promises";
import { isPostgresUnavailable } from "../platform/postgres/errors.ts";
import type { WorkerContext } from "./context.ts";

const pollMs = 250;

/** Repeats a write for as long as Postgres is away and the run goes on: what it says has happened already. */
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
      log.warn({ err: error }, "what became of a mail cannot be written down yet");
      await sleep(pollMs, undefined, { signal });
    }
  }
}
