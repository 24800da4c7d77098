import type { Act } from "../../services/operations/job-rights.ts";

/** What pressing a button does: an act of the table of rights; the pages of the ledger ask for the right to the job itself. */
export type Press = { act: Act; isOfPage?: true } | "no act";

const pause: Press = { act: "pause-queue" };
const resume: Press = { act: "resume-queue" };
const promote: Press = { act: "promote" };
const clear: Press = { act: "clear" };
const tune: Press = { act: "tune-queue" };

/** Every route by which the board changes something, as Bull Board and our own pages name it, and what it does. */
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
  // Refused to everybody, with a sentence.
  "put /api/queues/:queueName/job-schedulers/:schedulerId/run": tune,
  "patch /api/queues/:queueName/job-schedulers/:schedulerId": tune,
  "post /api/queues/:queueName/add": tune,
  "patch /api/queues/:queueName/:jobId/update-data": tune,
  "patch /api/queues/:queueName/:jobId/priority": tune,
  "patch /api/queues/:queueName/:jobId/delay": tune,
  "post /api/metrics/history/purge": clear,
  // Ours. Who may depends on the job, whose page asks.
  "post /ledger/:jobId/retry": { act: "retry", isOfPage: true },
  "post /ledger/:jobId/cancel": { act: "cancel", isOfPage: true },
  "post /reason": "no act",
};

const patterns = Object.entries(presses).map(([route, press]) => {
  const [method = "", path = ""] = route.split(" ");
  const wild = (path.match(/:\w+/g) ?? []).length;
  return { method: method.toUpperCase(), path: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}/?$`), press, wild };
});
// Of two that fit, the one that says more in words.
patterns.sort((a, b) => a.wild - b.wild);

/** What a request does; of routes that no line is about, what takes the most. */
export function pressOf(method: string, path: string): Press {
  return patterns.find((one) => one.method === method && one.path.test(path))?.press ?? clear;
}
