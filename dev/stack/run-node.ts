import { run } from "../services/processes.ts";
import { say } from "./console.ts";
import { root } from "./paths.ts";
import { waitFor } from "./waiting.ts";

/** What is around a program that runs to its end. */
export interface Surroundings {
  /** Ends it early. */
  signal: AbortSignal;
  /** Processes that work for it, for example its database: while they do something it is not stuck. */
  helpers: () => readonly number[];
  /** Has a process stopped when this one dies; what it gives takes that back. */
  watch: (pid: number) => () => void;
}

export interface NodeRun extends Surroundings {
  /** What it does, as in "migrating the database". */
  what: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

/**
 * Runs a program of ours to its end, and says meanwhile what it complains of; throws what it wrote when it fails, or makes
 * no progress for too long.
 */
export async function runNode({ what, args, env, signal, helpers, watch }: NodeRun): Promise<void> {
  let ended = () => {};
  const spawned = (pid: number) => {
    ended = watch(pid);
  };
  const running = run(process.execPath, args, { cwd: root, env, signal, helpers, spawned, complained: say });
  const { ok, output } = await waitFor(what, running).finally(() => ended());
  if (!ok) throw new Error(`${what} failed:\n${output}`);
}
