import type { Operator } from "../../src/services/operations/job-rights.ts";

/** A user who may steer every job, for tests of what boardActions does. */
export const anAdmin: Operator = { id: "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01", rank: "admin", reason: "a test" };
