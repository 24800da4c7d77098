import { randomUUID } from "node:crypto";

/** The id that answers, logs, audit rows and jobs of one request share; a valid one of the caller is kept. */
export function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[\w.-]{8,64}$/.test(given) ? given : randomUUID();
}
