import { z } from "zod";
import { defineJob, priorities } from "../../src/engine/define-job.ts";

export const queue = "images";

/** A job that takes so long, and leaves a row when it has been done. */
export const nap = defineJob({
  name: "nap",
  queue,
  version: 1,
  payload: z.object({ n: z.int(), ms: z.number() }),
  key: ({ n }) => String(n),
  entity: ({ n }) => ({ type: "nap", id: String(n) }),
  priority: priorities.interactive,
  retry: { attempts: 3, backoffMs: 1_000, outageMs: 1_000 },
  timeoutMs: 600_000,
  description: "Takes its time, to be scaled by.",
});

export const jobs = { [nap.name]: nap };
