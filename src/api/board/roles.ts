import type { Actor } from "../context.ts";

/** What a member of staff may do in the board, from least to most. */
export const boardRoles = ["viewer", "operator", "admin"] as const;
export type BoardRole = (typeof boardRoles)[number];

/** Admins are admins; of employees those are operators whom the configuration names, and the others look. */
export function boardRoleOf(
  { role, email }: Actor & { email: string | null },
  operators: readonly string[],
): BoardRole {
  if (role === "ADMIN") return "admin";
  return email !== null && operators.includes(email.toLowerCase()) ? "operator" : "viewer";
}

/** What pressing a button takes. */
export interface Press {
  least: BoardRole;
  /** True for what cannot be taken back: it needs a reason. */
  isDestructive: boolean;
}

const kept: Press = { least: "operator", isDestructive: false };
const lost: Press = { least: "admin", isDestructive: true };
const tuned: Press = { least: "admin", isDestructive: false };

/** Every route by which the board changes something, as Bull Board and our own pages name it, and what it takes. */
export const presses: Readonly<Record<string, Press>> = {
  "put /api/queues/pause": kept,
  "put /api/queues/resume": kept,
  "put /api/queues/:queueName/pause": kept,
  "put /api/queues/:queueName/resume": kept,
  "put /api/queues/:queueName/promote": kept,
  "put /api/queues/:queueName/retry/:queueStatus": kept,
  "put /api/queues/:queueName/:jobId/retry": kept,
  "put /api/queues/:queueName/:jobId/promote": kept,
  "put /api/queues/:queueName/rate-limit/release": kept,
  "put /api/queues/:queueName/concurrency": tuned,
  "put /api/queues/:queueName/rate-limit": tuned,
  "put /api/queues/:queueName/empty": lost,
  "put /api/queues/:queueName/obliterate": lost,
  "put /api/queues/:queueName/clean/:queueStatus": lost,
  "put /api/queues/:queueName/:jobId/clean": lost,
  "put /api/queues/:queueName/:jobId/remove-unprocessed-children": lost,
  "put /api/queues/:queueName/job-schedulers/:schedulerId/remove": lost,
  // Refused to everybody, with a sentence.
  "put /api/queues/:queueName/job-schedulers/:schedulerId/run": tuned,
  "patch /api/queues/:queueName/job-schedulers/:schedulerId": tuned,
  "post /api/queues/:queueName/add": tuned,
  "patch /api/queues/:queueName/:jobId/update-data": tuned,
  "patch /api/queues/:queueName/:jobId/priority": tuned,
  "patch /api/queues/:queueName/:jobId/delay": tuned,
  "post /api/metrics/history/purge": lost,
  // Ours.
  "post /ledger/:jobId/retry": kept,
  "post /ledger/:jobId/cancel": { least: "operator", isDestructive: true },
  "post /reason": kept,
};

const patterns = Object.entries(presses).map(([route, press]) => {
  const [method = "", path = ""] = route.split(" ");
  const wild = (path.match(/:\w+/g) ?? []).length;
  return { method: method.toUpperCase(), path: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}/?$`), press, wild };
});
// Of two that fit, the one that says more in words.
patterns.sort((a, b) => a.wild - b.wild);

/** What a request takes; of routes that nobody has decided about, everything. */
export function pressOf(method: string, path: string): Press {
  return patterns.find((one) => one.method === method && one.path.test(path))?.press ?? lost;
}

/** True when a role may do what takes this one at least. */
export function isAtLeast(role: BoardRole, least: BoardRole) {
  return boardRoles.indexOf(role) >= boardRoles.indexOf(least);
}
