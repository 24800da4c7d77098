import { type Logger, pino } from "pino";

export type Log = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** JSON lines on stdout. Secrets have no business in a log call; what slips in under a usual name is masked. */
export function createLogger(level: string, name: string) {
  return pino({
    level,
    base: { name },
    serializers: { err: withoutValues },
    redact: {
      paths: ["authorization", "token", "password", "secret", "apiKey", "*.authorization", "*.token", "*.password"],
      censor: "[masked]",
    },
  });
}

/** An error as a log shows it; the values of a failed statement are somebody's data and stay out. */
export function withoutValues(error: Error) {
  const { parameters, driverError, detail, ...shown } = pino.stdSerializers.err(error);
  return shown;
}
