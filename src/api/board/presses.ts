import type { Act } from "../../services/operations/job-rights.ts";

/** The act of a button in the table of rights; the pages of the ledger check the right to the job itself. */
export type Press = { act: Act; isOfPage?: true } | "no act";

const pause: Press = { act: "pause-queue" };
const resume: Press = { act: "resume-queue" };
const promote: Press = { act: "promote" };
const clear: Press = { act: "clear" };
const tune: Press = { act: "tune-queue" };

/** Every changing route of Bull Board and of the board's own pages, and its act. */
export const presses: Readonly<Record<string, Press>> = {
  "put /api/queues/pause": pause,
  "put /api/queues/resume": resume,
  "put /api/queues/:queueName/pause": pause,
  "put /api/queues/:queueName/resume": resume,
  "put /api/queues/:queueName/promote": promote,
  "put /api/queues/:queueName/retry/:queueStatus": { act: "replay" },
  "put /api/queues/:queueName/:jobId/retry": { act: "retry" },
  "put /api/queues/:queueName/:jobId/promote": promote,
  "put /api/queues/:queueName/:jobId/clean": { act: "cancel" },
  "put /api/queues/:queueName/rate-limit/release": { act: "release-queue" },
  "put /api/queues/:queueName/concurrency": tune,
  "put /api/queues/:queueName/rate-limit": tune,
  "put /api/queues/:queueName/empty": clear,
  "put /api/queues/:queueName/obliterate": clear,
  "put /api/queues/:queueName/clean/:queueStatus": clear,
  "put /api/queues/:queueName/:jobId/remove-unprocessed-children": clear,
  "put /api/queues/:queueName/job-schedulers/:schedulerId/remove": clear,
  // Refused to every visitor, with a sentence.
  "put /api/queues/:queueName/job-schedulers/:schedulerId/run": tune,
  "patch /api/queues/:queueName/job-schedulers/:schedulerId": tune,
  "post /api/queues/:queueName/add": tune,
  "patch /api/queues/:queueName/:jobId/update-data": tune,
  "patch /api/queues/:queueName/:jobId/priority": tune,
  "patch /api/queues/:queueName/:jobId/delay": tune,
  "post /api/metrics/history/purge": clear,
  // The board's own. The right depends on the job, and the job's page checks it.
  "post /ledger/:jobId/retry": { act: "retry", isOfPage: true },
  "post /ledger/:jobId/cancel": { act: "cancel", isOfPage: true },
  "post /reason": "no act",
};

const patterns = Object.entries(presses).map(([route, press]) => {
  const [method = "", path = ""] = route.split(" ");
  const wild = (path.match(/:\w+/g) ?? []).length;
  return { method: method.toUpperCase(), path: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}/?$`), press, wild };
});
// Of two that match, the one with more literal words.
patterns.sort((a, b) => a.wild - b.wild);

/** The act of a request; for a route without a line, the act that requires the most. */
export function pressOf(method: string, path: string): Press {
  return patterns.find((one) => one.method === method && one.path.test(path))?.press ?? clear;
}
