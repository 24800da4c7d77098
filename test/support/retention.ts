import { type Retention, readRetention } from "../../src/jobs/retention.ts";

/** How long things are kept when RETENTION is not set. */
export const defaultRetention = readRetention([]) as Retention;
