import printer from "node:console";
import { format } from "node:util";
import { type Logger, pino } from "pino";
import { describeError, errorLine } from "./describe-error.ts";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** JSON lines on stdout. A log call must not contain secrets; those that slip in under a usual name are masked. */
export function createLogger(level: string, name: string) {
  return pino({
    level,
    base: { name },
    serializers: { err: errorLine },
    redact: {
      paths: ["authorization", "token", "password", "secret", "apiKey", "*.authorization", "*.token", "*.password"],
      censor: "[masked]",
    },
  });
}

const consoleMethods = ["debug", "info", "log", "warn", "error", "trace"] as const;

/**
 * Takes what libraries print to the console, and Node's own warnings, into the log: its readers expect JSON alone.
 * Returns what ends this.
 */
export function logConsole(log: Log): () => void {
  const before = consoleMethods.map((method) => [method, printer[method]] as const);
  for (const method of consoleMethods) {
    const level = method === "error" || method === "warn" ? "warn" : "info";
    printer[method] = (...args: unknown[]) =>
      log[level]({ printed: describeError(format(...args)).message }, "a library printed this");
  }
  const listeners = process.listeners("warning");
  process.removeAllListeners("warning");
  const warn = (warning: Error) => log.warn({ err: warning }, "Node warns");
  process.on("warning", warn);
  return () => {
    for (const [method, print] of before) printer[method] = print;
    process.off("warning", warn);
    for (const listener of listeners) process.on("warning", listener);
  };
}
