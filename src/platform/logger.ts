import { type Logger, pino } from "pino";
import { errorLine } from "./describe-error.ts";

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
