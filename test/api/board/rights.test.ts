import { Worker } from "bullmq";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { queuedJobId } from "../../../src/engine/dispatch.ts";
import { type JobName, jobs } from "../../../src/jobs/index.ts";
import { type QueueName, queueNames } from "../../../src/jobs/queues.ts";
import { consumerConnection, queuePrefix } from "../../../src/platform/redis.ts";
import { type Act, ranks, rightTo } from "../../../src/services/operations/job-rights.ts";
import { call, useApi } from "../../support/api.ts";
import { compare, type Door, insertJob, operators, outcomeOf, usePeople } from "../../support/rights.ts";

const api = useApi({ relay: false, operators });
const people = usePeople(api);
const kinds = Object.keys(jobs) as JobName[];
const workers = new Map<QueueName, Worker>();

beforeEach(() => api.db.query("DELETE FROM queue_pause; DELETE FROM job_outbox; DELETE FROM job"));
afterAll(async () => {
  for (const worker of workers.values()) await worker.close();
  for (const name of queueNames) await api.queues.byName[name].obliterate({ force: true });
});

/** Presses a button of Bull Board's own, as its script does. */
const press =
  (path: (id: string) => string): Door =>
  async ({ who, reason, what }) => {
    const { status } = await call(`${api.url}/admin/queues/api/queues${path(what)}`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${await people[who].token()}`,
        "content-type": "application/json",
        ...(reason !== undefined && { "x-reason": reason }),
      },
      body: "{}",
    });
    return outcomeOf(status);
  };

function workerOf(queue: QueueName) {
  const connection = consumerConnection(api.redis, api.log);
  const worker =
    workers.get(queue) ??
    new Worker(queue, null, { connection, prefix: queuePrefix(connection, api.queuePrefix, queue), autorun: false });
  workers.set(queue, worker);
  return worker;
}

/** A job of this kind, and no other in its queue, as Redis and the ledger have it; returns its id in Redis. */
async function queued(kind: JobName, as: "waiting" | "delayed" | "failed") {
  const name = jobs[kind].queue;
  const queue = api.queues.byName[name];
  await queue.obliterate({ force: true });
  await api.db.query("DELETE FROM job");
  const id = await insertJob(api.db, kind, { isOver: as === "failed" });
  const jobId = queuedJobId({ jobId: id, gen: 1 });
  await api.db.query("UPDATE job SET gen = 1 WHERE id = $1", [id]);
  await queue.add(kind, { id }, { jobId, attempts: 1, ...(as === "delayed" && { delay: 3_600_000 }) });
  if (as === "failed") {
    const job = await workerOf(name).getNextJob("a test");
    await job?.moveToFailed(new Error("It broke"), "a test", false);
    expect(await queue.getFailedCount()).toBe(1);
  }
  return jobId;
}

type Button = [
  act: Act,
  what: string,
  as: "waiting" | "delayed" | "failed",
  path: (queue: string, id: string) => string,
];

describe.each<Button>([
  ["cancel", "one job", "waiting", (queue, id) => `/${queue}/${id}/clean`],
  ["retry", "one job", "failed", (queue, id) => `/${queue}/${id}/retry`],
  ["replay", "all that failed", "failed", (queue) => `/${queue}/retry/failed`],
  ["promote", "one job", "delayed", (queue, id) => `/${queue}/${id}/promote`],
  ["promote", "all that is delayed", "delayed", (queue) => `/${queue}/promote`],
  ["clear", "a queue", "waiting", (queue) => `/${queue}/empty`],
  ["clear", "all that waits", "waiting", (queue) => `/${queue}/clean/wait`],
  ["clear", "all that is delayed", "delayed", (queue) => `/${queue}/clean/delayed`],
])("the button to %s %s", (act, _what, as, path) => {
  test.each(kinds)("takes of a %s what the table says", { timeout: 60_000 }, async (kind) => {
    const door = press((id) => path(jobs[kind].queue, id));
    for (const who of ranks) await compare(door, rightTo(act, kind, false), who, () => queued(kind, as));
  });
});

test.each(queueNames)("the button to release a limit of %s takes what the table says", async (queue) => {
  const door = press(() => `/${queue}/rate-limit/release`);
  for (const who of ranks) await compare(door, rightTo("release-queue", "", false), who, async () => queue);
});

test.each(["empty", "clean/wait"])("%s cancels nothing, on no page, where an erasure waits", async (path) => {
  const queue = api.queues.byName.maintenance;
  await queue.obliterate({ force: true });
  const ids: string[] = [];
  for (let n = 0; n < 120; n++) ids.push(await insertJob(api.db, "collect-garbage", {}));
  ids.push(await insertJob(api.db, "erase-person", {}));
  await queue.addBulk(
    ids.map((id) => ({ name: "x", data: { id }, opts: { jobId: queuedJobId({ jobId: id, gen: 1 }) } })),
  );
  const attempt = { who: "admin", reason: "a test", what: "maintenance" } as const;
  expect(await press((name) => `/${name}/${path}`)(attempt)).toBe("forbidden");
  expect(await api.db.query("SELECT count(*)::int AS open FROM job WHERE state = 'open'")).toEqual([{ open: 121 }]);
  expect(await queue.getWaitingCount()).toBe(121);
});
