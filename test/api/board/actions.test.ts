import { randomUUID } from "node:crypto";
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { Worker } from "bullmq";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { queuePauses } from "../../../src/db/dao/queue-pauses.ts";
import { Job } from "../../../src/db/entities/job.ts";
import { createOutbox, enqueue } from "../../../src/db/outbox.ts";
import { createTransact } from "../../../src/db/transaction.ts";
import { queuedJobId } from "../../../src/jobs/dispatch.ts";
import { renderDocument } from "../../../src/jobs/render-document.ts";
import { applyPauses } from "../../../src/platform/apply-pauses.ts";
import { consumerConnection } from "../../../src/platform/redis.ts";
import { call, useApi, userIds } from "../../support/api.ts";

describe("what is done in Bull Board is done in the ledger", () => {
  const api = useApi({ relay: false });
  const board = "/admin/queues";
  const send = (method: string, path: string, body?: object) =>
    call(`${api.url}${board}/api/queues/documents${path}`, {
      method,
      headers: { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json" },
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

  /** One that a worker has failed, in Redis and in the ledger. */
  async function failed() {
    const id = await queued({ attempts: 1 });
    const job = await queue().getJob(await bullId(id));
    const token = randomUUID();
    const connection = consumerConnection(api.redisUrl, api.log);
    const worker = new Worker("documents", null, { connection, prefix: api.queuePrefix, autorun: false });
    for (
      let next = await worker.getNextJob(token);
      next && next.id !== job?.id;
      next = await worker.getNextJob(token)
    ) {
      await next.moveToCompleted("x", token, false);
    }
    await (await queue().getJob(await bullId(id)))?.moveToFailed(new Error("It broke"), token, false);
    await worker.close();
    connection.disconnect();
    await api.db.manager.update(Job, { id }, { state: "failed", finishedAt: new Date() });
    return id;
  }

  beforeEach(async () => {
    await queue().obliterate({ force: true });
    await api.db.query("DELETE FROM job");
    await api.db.query("DELETE FROM queue_pause");
  });

  test("removing a waiting job cancels it, and says who", async () => {
    const id = await queued();
    expect((await send("PUT", `/${await bullId(id)}/clean`)).status).toBe(204);
    expect(await find(id)).toMatchObject({
      state: "cancelled",
      cancellation: { by: userIds.admin, reason: "removed in Bull Board" },
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

  test("retrying a failed job promises it anew, once of twenty clicks", async () => {
    const id = await failed();
    const path = `/${await bullId(id)}/retry`;
    await Promise.all(Array.from({ length: 20 }, () => send("PUT", path)));
    expect(await find(id)).toMatchObject({ state: "open", gen: 2 });
    expect(await api.db.query("SELECT gen FROM job_outbox WHERE job_id = $1", [id])).toEqual([{ gen: 2 }]);
    expect(await queue().getFailedCount()).toBe(0);
  });

  test("retrying all that failed promises them anew, and clears what was retried elsewhere", async () => {
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

  test.each([
    ["POST", "/add", { name: "render-document", data: { id: randomUUID() } }],
    ["PATCH", "/{job}/update-data", { jobData: { id: randomUUID() } }],
    ["PATCH", "/{job}/priority", { priority: 1 }],
  ])("%s %s is refused", async (method, path, body) => {
    const id = await queued();
    const { status } = await send(method, path.replace("{job}", await bullId(id)), body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await queue().getJobCountByTypes("wait", "prioritized", "delayed")).toBe(1);
    expect((await queue().getJob(await bullId(id)))?.data.id).toBe(id);
  });

  test("a pause outlives a Redis that has lost everything, and knows who did it", async () => {
    expect((await send("PUT", "/pause")).status).toBe(200);
    expect(await queuePauses.list(api.db.manager)).toMatchObject([
      { queue: "documents", by: userIds.admin, reason: "paused in Bull Board" },
    ]);
    await queue().obliterate({ force: true });
    expect(await queue().isPaused()).toBe(false);
    await applyPauses(api.queues, ["documents"]);
    expect(await queue().isPaused()).toBe(true);
    expect((await send("PUT", "/resume")).status).toBe(200);
    expect(await queue().isPaused()).toBe(false);
    expect(await queuePauses.list(api.db.manager)).toEqual([]);
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
    expect([admin.text.includes("Retry</button>"), employee.text.includes("</button>")]).toEqual([true, false]);
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
      const rows = await api.db.query("SELECT endpoint FROM audit_log WHERE endpoint LIKE '%/ledger/%'");
      expect(rows.length).toBeGreaterThanOrEqual(2);
    });
  });

  test("knows every route by which the board changes something", () => {
    const changing = appRoutes.api
      .filter(({ method }) => method !== "get")
      .map(({ method, route }) => `${method} ${[route].flat()[0]}`)
      .map((name) => name.replace("/api/queues", "").replace("/:queueName", ""))
      .sort();
    expect(changing).toEqual([...steered, ...harmless, ...refused].sort());
  });
});

/** They change the ledger first. */
const steered = [
  "put /pause",
  "put /resume",
  "put /empty",
  "put /obliterate",
  "put /clean/:queueStatus",
  "put /retry/:queueStatus",
]
  .concat(["put /:jobId/retry", "put /:jobId/clean"])
  // All queues at once.
  .concat(["put /pause", "put /resume"]);
/** They change how Redis hands out what was promised. */
const harmless = [
  "put /:jobId/promote",
  "put /promote",
  "put /concurrency",
  "put /rate-limit",
  "put /rate-limit/release",
  "put /:jobId/remove-unprocessed-children",
]
  // Nothing here has a scheduler of BullMQ's.
  .concat([
    "put /job-schedulers/:schedulerId/remove",
    "patch /job-schedulers/:schedulerId",
    "put /job-schedulers/:schedulerId/run",
  ]);
const refused = ["post /add", "patch /:jobId/update-data", "patch /:jobId/priority", "patch /:jobId/delay"];
