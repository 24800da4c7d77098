import { randomUUID } from "node:crypto";
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { Worker } from "bullmq";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { queuedJobId } from "../../../src/engine/dispatch.ts";
import { Job } from "../../../src/engine/job-entity.ts";
import { claimJobs } from "../../../src/engine/ledger.ts";
import { createOutbox, enqueue, enqueueAll } from "../../../src/engine/outbox.ts";
import { applyPauses, queuePauses } from "../../../src/engine/queue-controls.ts";
import { createTransact } from "../../../src/engine/transaction.ts";
import { queueNames } from "../../../src/jobs/queues.ts";
import { renderDocument } from "../../../src/jobs/render-document.ts";
import { consumerConnection, queuePrefix } from "../../../src/platform/redis.ts";
import { call, useApi, userIds } from "../../support/api.ts";
import { useKeyedPool } from "../../support/database.ts";

describe("what is done in Bull Board is done in the ledger", () => {
  const api = useApi({ relay: false });
  const pool = useKeyedPool(api.db);
  const board = "/admin/queues";
  const reason = "Заказ снят";
  const send = (method: string, path: string, body?: object) =>
    call(`${api.url}${board}/api/queues/documents${path}`, {
      method,
      headers: {
        authorization: `Bearer ${api.tokens.admin}`,
        "content-type": "application/json",
        "x-reason": encodeURIComponent(reason),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const queue = () => api.queues.byName.documents;
  const find = (id: string) => api.db.manager.findOneByOrFail(Job, { id });
  const bullId = async (id: string) => queuedJobId({ jobId: id, gen: (await find(id)).gen });

  /** A promised job that is in Redis. */
  async function queued(options: object = {}) {
    const transact = createTransact(api.db, () => undefined);
    const id = await transact({ actorId: null, traceId: null }, (tx) =>
      enqueue(tx, renderDocument, { documentId: randomUUID() }),
    );
    await createOutbox(api.db, ["documents"]).take(100, 0, async () => []);
    await queue().add("render-document", { id }, { jobId: queuedJobId({ jobId: id, gen: 1 }), ...options });
    return id;
  }

  /** Has a worker of BullMQ's take the job and end it as told, if it is told, past the ledger. */
  async function taken(id: string, end?: "complete" | "fail") {
    const connection = consumerConnection(api.redis, api.log);
    const prefix = queuePrefix(connection, api.queuePrefix, "documents");
    const worker = new Worker("documents", null, { connection, prefix, autorun: false });
    const token = randomUUID();
    const wanted = await bullId(id);
    let job = await worker.getNextJob(token);
    for (; job && job.id !== wanted; job = await worker.getNextJob(token)) await job.moveToCompleted("x", token, false);
    if (end === "fail") await job?.moveToFailed(new Error("It broke"), token, false);
    if (end === "complete") await job?.moveToCompleted("x", token, false);
    await worker.close();
    connection.disconnect();
    expect(job?.id).toBe(wanted);
  }

  /** One that a worker has failed, in Redis and in the ledger. */
  async function failed() {
    const id = await queued({ attempts: 1 });
    await taken(id, "fail");
    await api.db.manager.update(Job, { id }, { state: "failed", finishedAt: new Date() });
    return id;
  }

  beforeEach(async () => {
    await queue().obliterate({ force: true });
    await api.db.query("DELETE FROM job_outbox; DELETE FROM job");
    await api.db.query("DELETE FROM queue_pause");
  });

  test("removing a waiting job cancels it, and says who", async () => {
    const id = await queued();
    expect((await send("PUT", `/${await bullId(id)}/clean`)).status).toBe(204);
    expect(await find(id)).toMatchObject({
      state: "cancelled",
      cancellation: { by: userIds.admin, reason },
    });
    expect(await queue().getJob(await bullId(id))).toBeUndefined();
  });

  test.each([
    ["empty", "/empty"],
    ["clean what waits", "/clean/wait"],
    ["obliterate", "/obliterate"],
  ])("%s cancels all that waits", async (_name, path) => {
    const ids = [await queued(), await queued({ priority: 50 }), await queued()];
    // The board obliterates only what is paused.
    if (path === "/obliterate") await send("PUT", "/pause");
    expect((await send("PUT", path, { force: true })).status).toBeLessThan(300);
    for (const id of ids) expect((await find(id)).state).toBe("cancelled");
    expect(await queue().getJobCounts("wait", "prioritized")).toEqual({ wait: 0, prioritized: 0 });
  });

  test("retrying a failed job enqueues it again, once of twenty clicks", async () => {
    const id = await failed();
    const path = `/${await bullId(id)}/retry`;
    await Promise.all(Array.from({ length: 20 }, () => send("PUT", path)));
    expect(await find(id)).toMatchObject({ state: "open", gen: 2 });
    expect(await api.db.query("SELECT gen FROM job_outbox WHERE job_id = $1", [id])).toEqual([{ gen: 2 }]);
    expect(await queue().getFailedCount()).toBe(0);
  });

  test("retrying all that failed enqueues them again, and clears what was retried elsewhere", async () => {
    const [one, other] = [await failed(), await failed()];
    await api.db.manager.update(Job, { id: other }, { state: "succeeded", gen: 2 });
    expect((await send("PUT", "/retry/failed")).body).toMatchObject({ retried: 2 });
    expect(await find(one)).toMatchObject({ state: "open", gen: 2 });
    expect((await find(other)).state).toBe("succeeded");
    expect(await queue().getFailedCount()).toBe(0);
  });

  test("cleaning what failed only tidies Redis", async () => {
    const id = await failed();
    expect((await send("PUT", "/clean/failed")).status).toBeLessThan(300);
    expect(await find(id)).toMatchObject({ state: "failed", gen: 1 });
  });

  test("emptying cancels thousands page by page, and those that wait in Postgres for their turn", async () => {
    const transact = createTransact(api.db, () => undefined);
    const promise = (count: number, delayMs = 0) =>
      transact({ actorId: null, traceId: null }, (tx) => {
        const payloads = Array.from({ length: count }, () => ({ documentId: randomUUID() }));
        return enqueueAll(tx, renderDocument, payloads, { delayMs });
      });
    const inRedis = await promise(250);
    await createOutbox(api.db, ["documents"]).take(1_000, 0, async () => []);
    await queue().addBulk(
      inRedis.map((id) => ({ name: "x", data: { id }, opts: { jobId: queuedJobId({ jobId: id, gen: 1 }) } })),
    );
    const onOutbox = await promise(130);
    const [later] = await promise(1, 3_600_000);
    expect((await send("PUT", "/empty")).status).toBe(200);
    expect(await queue().getJobCountByTypes("wait", "prioritized", "delayed")).toBe(0);
    const states = await api.db.query("SELECT state, count(*)::int AS jobs FROM job GROUP BY state ORDER BY state");
    expect(states).toEqual([
      { state: "cancelled", jobs: inRedis.length + onOutbox.length },
      { state: "open", jobs: 1 },
    ]);
    expect(await api.db.query("SELECT job_id AS id FROM job_outbox")).toEqual([{ id: later }]);
  });

  test("cleaning what is delayed cancels it, and leaves alone what waits", async () => {
    const [delayed, waits] = [await queued({ delay: 3_600_000 }), await queued()];
    expect((await send("PUT", "/clean/delayed")).status).toBe(200);
    expect([(await find(delayed)).state, (await find(waits)).state]).toEqual(["cancelled", "open"]);
    expect(await queue().getJobCounts("wait", "delayed")).toEqual({ wait: 1, delayed: 0 });
  });

  test("running jobs are neither removed, cleaned nor obliterated", async () => {
    const id = await queued();
    await taken(id);
    expect((await send("PUT", `/${await bullId(id)}/clean`)).status).toBe(409);
    expect((await send("PUT", "/clean/active")).status).toBe(403);
    await api.db.manager.update(Job, { id }, { state: "running" });
    await send("PUT", "/pause");
    expect((await send("PUT", "/obliterate", { force: true })).status).toBe(200);
    expect(await find(id)).toMatchObject({ state: "running", cancellation: null });
    expect(await queue().getActiveCount()).toBe(1);
  });

  test("removing a past entry of a job that was retried does not cancel it", async () => {
    const id = await failed();
    const past = await bullId(id);
    await api.db.manager.update(Job, { id }, { state: "open", finishedAt: null as never, gen: 2 });
    expect((await send("PUT", `/${past}/clean`)).status).toBe(204);
    expect(await find(id)).toMatchObject({ state: "open", cancellation: null });
    expect(await queue().getJob(past)).toBeUndefined();
  });

  test("removing what Redis calls failed cancels it while the ledger goes on with it", async () => {
    const id = await queued({ attempts: 1 });
    await taken(id, "fail");
    expect((await send("PUT", `/${await bullId(id)}/clean`)).status).toBe(204);
    expect((await find(id)).state).toBe("cancelled");
  });

  test("removing the entry of a parent that waits for its parts cancels neither", async () => {
    const id = await queued();
    await taken(id, "complete");
    await api.db.manager.update(Job, { id }, { state: "waiting" });
    expect((await send("PUT", `/${await bullId(id)}/clean`)).status).toBe(204);
    expect(await find(id)).toMatchObject({ state: "waiting", cancellation: null });
  });

  test("what was never promised can be removed, and not retried", async () => {
    await queue().add("by hand", {} as never, { jobId: "stray" });
    const { status, body } = await send("PUT", "/stray/retry");
    expect([status, body]).toMatchObject([400, { error: { key: "ERRORS.JOB_NOT_RETRIABLE" } }]);
    expect((await send("PUT", "/stray/clean")).status).toBe(204);
    expect(await queue().getWaitingCount()).toBe(0);
  });

  test("retrying what has succeeded is refused with a sentence", async () => {
    const id = await queued();
    await taken(id, "complete");
    await api.db.manager.update(Job, { id }, { state: "succeeded", finishedAt: new Date() });
    const sentence = `Job '${id}' has succeeded; it does not run twice`;
    for (const path of [`/${await bullId(id)}/retry`, "/retry/completed"]) {
      const { status, body } = await send("PUT", path);
      expect([status, body.message]).toEqual([409, sentence]);
    }
    expect(await find(id)).toMatchObject({ state: "succeeded", gen: 1 });
    expect(await queue().getCompletedCount()).toBe(1);
  });

  test.each([
    ["one", (id: string) => `/${queuedJobId({ jobId: id, gen: 1 })}/promote`],
    ["all", () => "/promote"],
  ])("promoting %s runs it now, whatever time the ledger has for it", async (_name, path) => {
    const id = await queued({ delay: 3_600_000 });
    await api.db.query("UPDATE job SET run_at = now() + interval '1 hour' WHERE id = $1", [id]);
    expect((await send("PUT", path(id))).status).toBeLessThan(300);
    expect(await queue().getJobCounts("wait", "delayed")).toEqual({ wait: 1, delayed: 0 });
    const [claimed] = await claimJobs(api.db, pool(), [id], "test", 1_000);
    expect(claimed?.outcome).toBe("claimed");
  });

  test("a pause outlives a Redis that has lost everything, and knows who did it", async () => {
    expect((await send("PUT", "/pause")).status).toBe(200);
    expect(await queuePauses.list(api.db.manager)).toMatchObject([{ queue: "documents", by: userIds.admin, reason }]);
    await queue().obliterate({ force: true });
    expect(await queue().isPaused()).toBe(false);
    await applyPauses(api.queues, await queuePauses.list(api.db.manager));
    expect(await queue().isPaused()).toBe(true);
    expect((await send("PUT", "/resume")).status).toBe(200);
    expect(await queue().isPaused()).toBe(false);
    expect(await queuePauses.list(api.db.manager)).toEqual([]);
  });

  test("all queues are paused and resumed at once, even when Redis has forgotten that they are paused", async () => {
    const all = (action: string) =>
      call(`${api.url}${board}/api/queues/${action}`, {
        method: "PUT",
        headers: { authorization: `Bearer ${api.tokens.admin}`, "x-reason": "the server moves" },
      });
    expect((await all("pause")).status).toBe(200);
    expect(await queuePauses.list(api.db.manager)).toHaveLength(queueNames.length);
    await queue().resume();
    expect((await all("resume")).status).toBe(200);
    expect(await queuePauses.list(api.db.manager)).toEqual([]);
    for (const one of Object.values(api.queues.byName)) expect(await one.isPaused()).toBe(false);
  });

  test("the board says who has paused a queue, when and why, and the audit log does, too", async () => {
    await send("PUT", "/pause");
    // Redis has forgotten it, and the reconciler has not seen it yet.
    await queue().resume();
    const headers = { authorization: `Bearer ${api.tokens.employee}` };
    const { text } = await call(`${api.url}${board}/api/queues`, { headers });
    const { queues } = JSON.parse(text) as { queues: { name: string; isPaused: boolean; description: string }[] };
    const shown = queues.find(({ name }) => name === "documents");
    expect(shown?.isPaused).toBe(true);
    expect(shown?.description).toMatch(/^PAUSED, \d{4}-.* UTC, by a…@t….example: Заказ снят\. Makes /);
    expect(queues.filter(({ description }) => description.includes("PAUSED"))).toHaveLength(1);
    await vi.waitFor(async () => {
      const rows = await api.db.query("SELECT payload FROM audit_log WHERE endpoint LIKE '%/documents/pause'");
      expect(rows).toContainEqual({ payload: { reason } });
    }, 10_000);
  });

  test("each job links to its page in the ledger, which shows it and has buttons for admins alone", async () => {
    const id = await failed();
    const query = "?activeQueue=documents&status=failed&page=1&jobsPerPage=10";
    const { text } = await call(`${api.url}${board}/api/queues${query}`, {
      headers: { authorization: `Bearer ${api.tokens.admin}` },
    });
    expect(text).toContain(`${board}/ledger/${id}`);
    await api.db.manager.update(
      Job,
      { id },
      {
        lastError: { name: "Error", message: "<script>alert(1)</script>", at: new Date().toISOString() },
      },
    );
    const page = (token: string) =>
      call(`${api.url}${board}/ledger/${id}`, { headers: { authorization: `Bearer ${token}` } });
    const [admin, employee] = [await page(api.tokens.admin), await page(api.tokens.employee)];
    expect(admin.text).toContain("&lt;script&gt;");
    expect(admin.text).not.toContain("<script>");
    expect([admin.text.includes("Run it again</button>"), employee.text.includes("</button>")]).toEqual([true, false]);
    expect((await page(api.tokens.user)).status).toBe(403);
  });

  test("the buttons of that page retry and cancel, with a reason, for admins alone", async () => {
    const id = await failed();
    const press = (action: string, token: string) =>
      call(`${api.url}${board}/ledger/${id}/${action}`, {
        method: "POST",
        redirect: "manual",
        headers: { authorization: `Bearer ${token}` },
        body: new URLSearchParams({ reason: "not wanted" }),
      });
    expect((await press("retry", api.tokens.employee)).status).toBe(403);
    expect((await press("retry", api.tokens.admin)).status).toBe(303);
    expect((await find(id)).state).toBe("open");
    expect((await press("cancel", api.tokens.admin)).status).toBe(303);
    expect(await find(id)).toMatchObject({ state: "cancelled", cancellation: { reason: "not wanted" } });
    await vi.waitFor(async () => {
      const sql = "SELECT status, payload FROM audit_log WHERE endpoint LIKE '%/ledger/%' ORDER BY created_at";
      const payload = { reason: "not wanted" };
      expect(await api.db.query(sql)).toEqual([403, 303, 303].map((status) => ({ status, payload })));
    }, 10_000);
    await api.db.manager.update(Job, { id }, { state: "succeeded", cancellation: null as never });
    const late = await press("cancel", api.tokens.admin);
    expect(late.status).toBe(409);
    expect(late.text).toContain(
      `role="alert">Job &#39;${id}&#39; has succeeded already; there is nothing to cancel</p>`,
    );
    expect((await find(id)).state).toBe("succeeded");
  });

  test("that page refuses forms of other sites, and says when there is no such job", async () => {
    const id = await queued();
    const headers = { authorization: `Bearer ${api.tokens.admin}` };
    const foreign = { ...headers, "sec-fetch-site": "cross-site" };
    const cancel = `${api.url}${board}/ledger/${id}/cancel`;
    expect((await call(cancel, { method: "POST", headers: foreign })).status).toBe(403);
    expect((await find(id)).state).toBe("open");
    for (const unknown of [randomUUID(), "%3Cimg%3E"]) {
      const page = await call(`${api.url}${board}/ledger/${unknown}`, { headers });
      expect([page.status, page.text.includes("No such job"), page.text.includes("<img>")]).toEqual([404, true, false]);
      expect((await call(`${api.url}${board}/ledger/${unknown}/retry`, { method: "POST", headers })).status).toBe(404);
    }
  });

  test("that page shows a job's parts and leads from each to the whole", async () => {
    const [whole, part] = [await queued(), await queued()];
    await api.db.query("UPDATE job SET parent_id = $1 WHERE id = $2", [whole, part]);
    const page = (id: string) =>
      call(`${api.url}${board}/ledger/${id}`, { headers: { authorization: `Bearer ${api.tokens.employee}` } });
    expect((await page(whole)).text).toContain(`<a href="${board}/ledger/${part}">`);
    expect((await page(part)).text).toContain(`<a href="${board}/ledger/${whole}">`);
  });

  test("there is a line for every route by which the board changes something", () => {
    const changing = appRoutes.api
      .filter(({ method }) => method !== "get")
      .map(({ method, route }) => `${method} ${[route].flat()[0]?.replace("/api/queues", "")}`);
    expect(changing.sort()).toEqual(Object.keys(changes).sort());
  });

  const refused = Object.entries(changes).filter(([, what]) => typeof what === "object");
  test.each(refused)("%s is refused with a sentence", async (route, body) => {
    const id = await queued({ delay: 3_600_000 });
    const [method = "", path = ""] = route.replace("/:queueName", "").split(" ");
    const { status, body: answer } = await send(
      method.toUpperCase(),
      path.replace(":jobId", await bullId(id)).replace(":schedulerId", "any"),
      body as object,
    );
    expect([status, answer.message]).toEqual([403, expect.stringMatching(/^[A-Z].{20}/)]);
    expect(await queue().getJobCountByTypes("wait", "prioritized", "delayed")).toBe(1);
    const job = await queue().getJob(await bullId(id));
    expect([job?.data, job?.priority, job?.delay]).toEqual([{ id }, 0, 3_600_000]);
  });
});

/**
 * What each changing route of the board does: change the ledger first, change only how Redis hands out what was
 * promised, or nothing; the body then is one that would do it.
 */
const changes: Record<string, "ledger" | "redis" | object> = {
  "put /pause": "ledger",
  "put /resume": "ledger",
  "put /:queueName/pause": "ledger",
  "put /:queueName/resume": "ledger",
  "put /:queueName/empty": "ledger",
  "put /:queueName/obliterate": "ledger",
  "put /:queueName/clean/:queueStatus": "ledger",
  "put /:queueName/retry/:queueStatus": "ledger",
  "put /:queueName/:jobId/retry": "ledger",
  "put /:queueName/:jobId/clean": "ledger",
  "put /:queueName/promote": "redis",
  "put /:queueName/:jobId/promote": "redis",
  "put /:queueName/concurrency": "redis",
  "put /:queueName/rate-limit": "redis",
  "put /:queueName/rate-limit/release": "redis",
  // No job of ours is a flow or has a scheduler of BullMQ's; whatever is there is a stranger's.
  "put /:queueName/:jobId/remove-unprocessed-children": "redis",
  "put /:queueName/job-schedulers/:schedulerId/remove": "redis",
  "put /:queueName/job-schedulers/:schedulerId/run": {},
  "patch /:queueName/job-schedulers/:schedulerId": { every: 60_000 },
  "post /:queueName/add": { name: "render-document", data: { id: randomUUID() }, options: {} },
  "patch /:queueName/:jobId/update-data": { jobData: { id: randomUUID() } },
  "patch /:queueName/:jobId/priority": { priority: 1 },
  "patch /:queueName/:jobId/delay": { runAt: Date.now() },
};
