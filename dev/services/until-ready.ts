import type { ChildProcess } from "node:child_process";
import { stuckMessage, watchProgress } from "./progress.ts";
import { endOf, killGroup } from "./service.ts";

export interface StartingOptions {
  /** What it is called in messages. */
  name: string;
  /** A line of its output, of either stream, that says that it is ready; absent: it sends the message "ready". */
  line?: RegExp;
  /** So long without progress is given up; see `progress.ts`. */
  noProgressMs?: number | undefined;
}

/**
 * Waits until a process that was started with `detached` is ready. It may take as long as it makes progress; throws,
 * with its last output, when it ends before or had to be killed because it made none.
 */
export function untilReady(child: ChildProcess, { name, line, noProgressMs }: StartingOptions): Promise<void> {
  const streams = [child.stdout, child.stderr];
  let tail = "";
  let killed = false;
  const whyEnded = (code: number | null, signal: NodeJS.Signals | null) => {
    const port = takenPort(tail);
    if (port) return `${name} ended before it was ready: ${port}`;
    const why = killed
      ? stuckMessage(name, noProgressMs)
      : `${name} ended before it was ready (${endOf(code, signal)})`;
    return `${why}\n${tail}`.trim();
  };
  return new Promise<void>((resolve, reject) => {
    const progress = watchProgress({ pids: () => [child.pid ?? 0], limitMs: noProgressMs, stuck: kill });
    const read = (chunk: Buffer) => {
      progress.shown();
      tail = `${tail}${chunk}`.slice(-4000);
      if (line?.test(tail)) settle(resolve);
    };
    const hear = (message: unknown) => {
      progress.shown();
      if (!line && message === "ready") settle(resolve);
    };
    const fail = (why: string) => settle(() => reject(new Error(why)));
    for (const stream of streams) stream?.on("data", read);
    child.on("message", hear);
    child.once("error", (error) => fail(`${name} could not be started: ${error.message}`));
    child.once("close", (code, signal) => fail(whyEnded(code, signal)));

    function kill() {
      killed = true;
      if (child.pid) killGroup(child.pid);
    }
    function settle(end: () => void) {
      progress.end();
      for (const stream of streams) stream?.off("data", read);
      child.off("message", hear);
      end();
    }
  });
}

/** Redis and PostgreSQL write it in several lines of their own. */
function takenPort(output: string): string | undefined {
  if (!/address already in use/i.test(output)) return undefined;
  const [, port = "its port"] = /(?:127\.0\.0\.1:|port )(\d+)/.exec(output) ?? [];
  return `port ${port} was taken by another program meanwhile. Start again: \`npm start\` then chooses another one.`;
}
