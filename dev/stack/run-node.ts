import { run } from "../services/processes.ts";
import { root } from "./paths.ts";

/** Runs a program of ours to its end; throws what it wrote when it fails. */
export async function runNode(
  what: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const { ok, output } = await run(process.execPath, args, { cwd: root, env, signal });
  if (!ok) throw new Error(`${what} failed\n${output}`);
}
