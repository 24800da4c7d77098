import { run } from "../services/processes.ts";
import { root } from "./paths.ts";
import { waitFor } from "./waiting.ts";

export interface NodeRun {
  /** What it does, as in "migrating the database". */
  what: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Processes that work for it, for example its database: while they do something it is not stuck. */
  helpers?: () => readonly number[];
}

/** Runs a program of ours to its end; throws what it wrote when it fails, or makes no progress for too long. */
export async function runNode({ what, args, env, signal, helpers = () => [] }: NodeRun): Promise<void> {
  const { ok, output } = await waitFor(what, run(process.execPath, args, { cwd: root, env, signal, helpers }));
  if (!ok) throw new Error(`${what} failed:\n${output}`);
}
