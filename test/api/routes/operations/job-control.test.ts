import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Job } from "../../../../src/engine/job-entity.ts";
import { enqueue } from "../../../../src/engine/outbox.ts";
import { createTransact } from "../../../../src/engine/transaction.ts";
import { renderDocument } from "../../../../src/jobs/render-document.ts";
import { call, useApi, userIds, useWorker } from "../../../support/api.ts";
import { useApiProcesses } from "../../../support/api-process.ts";

const api = useApi({ operators: ["employee@test.example"] });
const processes = useApiProcesses(api);

const as = (token: string, init: RequestInit = {}) => ({
  ...init,
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...init.headers },
});
/** Answers of many shapes, each compared with the OpenAPI document as all are. */
async function ask(method: string, path: string, body?: object, token = api.tokens.employee) {
  const answer = await call(`${api.url}${path}`, as(token, { method, ...(body && { body: JSON.stringify(body) }) }));
  return { ...answer, body: answer.body as never as Answer };
}
type Answer = Record<"status" | "message" | "id", string> &
  Record<"next", string | null> &
  Record<"count", number> &
  Record<"cancellation" | "progress", { by: string | null; at: string }> & {
    items: { id: string }[];
    sample: string[];
  };
const promise = (actorId: string | null = null) => {
  const documentId = randomUUID();
  const transact = createTransact(api.db, () => undefined);
  return transact({ actorId, traceId: null }, (tx) => enqueue(tx, renderDocument, { documentId }));
};
const change = (id: string, values: object) => api.db.manager.update(Job, { id }, values);
const fail = (id: string, message = "Offer 12 is gone", errorKey = "Error: Offer <n> is gone") =>
  change(id, {
    state: "failed",
    finishedAt: new Date(),
    lastError: { name: "Error", message, at: new Date().toISOString() },
    errorKey,
  });
const find = (id: string) => api.db.manager.findOneByOrFail(Job, { id });

beforeEach(async () => {
  await api.db.query("DELETE FROM job_outbox; DELETE FROM job");
});

describe("POST /jobs/{id}/cancel", () => {
  test("ends a waiting job at once, says who and why, and may be repeated", async () => {
    const id = await promise();
    await change(id, { runAt: new Date(Date.now() + 3_600_000) });
    const { status, body } = await ask("POST", `/jobs/${id}/cancel`, { reason: "Ordered twice" });
    expect([status, body.status]).toEqual([200, "cancelled"]);
    expect(body.cancellation).toMatchObject({ by: userIds.employee, reason: "Ordered twice" });
    expect((await ask("POST", `/jobs/${id}/cancel`, { reason: "Still" })).status).toBe(200);
    const [row] = await api.db.query("SELECT endpoint, status FROM audit_log ORDER BY created_at LIMIT 1");
    expect(row).toMatchObject({ endpoint: expect.stringContaining(`/jobs/${id}/cancel`), status: 200 });
  });

  test("tells a running job to stop, which is 202", async () => {
    const id = await promise();
    await change(id, { state: "running", leaseUntil: new Date(Date.now() + 60_000) });
    const { status, body } = await ask("POST", `/jobs/${id}/cancel`, { reason: "Ordered twice" });
    expect([status, body.status]).toEqual([202, "running"]);
    expect(body.cancellation.at).toBeTruthy();
  });

  test("is for the owner, too, and shows no other user's job", async () => {
    const [own, foreign] = [await promise(userIds.user), await promise(userIds.admin)];
    const { status, body } = await ask("POST", `/jobs/${own}/cancel`, {}, api.tokens.user);
    expect([status, body.cancellation.by]).toEqual([200, null]);
    expect((await ask("POST", `/jobs/${foreign}/cancel`, {}, api.tokens.user)).status).toBe(404);
  });

  test("is 409 for a job that is over, in words that say so", async () => {
    const id = await promise();
    await change(id, { state: "succeeded", finishedAt: new Date() });
    const { status, body } = await ask("POST", `/jobs/${id}/cancel`, { reason: "Ordered twice" });
    expect([status, body.message]).toEqual([409, `Job '${id}' has succeeded already; there is nothing to cancel`]);
  });
});

describe("POST /jobs/{id}/retry", () => {
  test("opens a failed job again, once of ten clicks", async () => {
    const id = await promise();
    await fail(id);
    const clicks = await Promise.all(Array.from({ length: 10 }, () => ask("POST", `/jobs/${id}/retry`)));
    expect(clicks.map(({ status }) => status).sort()).toEqual([202, ...Array(9).fill(409)]);
    expect(await find(id)).toMatchObject({ state: "open", gen: 2, failures: 0 });
  });

  test("is 409 for a job that goes on", async () => {
    const { status, body } = await ask("POST", `/jobs/${await promise()}/retry`);
    expect([status, body.message]).toEqual([409, expect.stringContaining("only failed, cancelled and unknown")]);
  });
});

describe("GET /jobs", () => {
  beforeEach(async () => {
    for (let n = 0; n < 5; n++) await promise();
  });
  const list = async (query: string) => (await ask("GET", `/jobs?${query}`)).body;

  test("goes from page to page, the newest first, to the end", async () => {
    const all = (await list("")).items.map(({ id }: { id: string }) => id);
    expect(all).toEqual([...all].sort().reverse());
    const first = await list("size=3");
    const second = await list(`size=3&before=${first.next}`);
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(all);
    expect(second.next).toBeNull();
  });

  test("finds by state, queue, kind, entity, parent and cause", async () => {
    const [failed = "", child = ""] = (await list("size=2")).items.map(({ id }: { id: string }) => id);
    await fail(failed);
    await change(child, { parentId: failed });
    const { entityId } = await find(failed);
    const found = async (query: string) => (await list(query)).items.map(({ id }: { id: string }) => id);
    expect(await found("state=failed")).toEqual([failed]);
    expect(await found("state=failed&kind=render-document&queue=documents")).toEqual([failed]);
    expect(await found("state=failed&kind=send-mail")).toEqual([]);
    expect(await found(`entity=document:${entityId}`)).toEqual([failed]);
    expect(await found(`parent_id=${failed}`)).toEqual([child]);
    expect(await found(`error=${encodeURIComponent("Error: Offer <n> is gone")}`)).toEqual([failed]);
    expect(await found("state=open")).toHaveLength(4);
    expect(await found("queue=images")).toEqual([]);
  });

  test.each(["state=done", "entity=document", "before=5", "size=501", "kind=DROP TABLE"])(
    "is 422 for %s",
    async (query) => {
      expect((await ask("GET", `/jobs?${query}`)).status).toBe(422);
    },
  );

  test("reads no table from end to end, whatever is asked for", async () => {
    await api.db.query(`
      INSERT INTO job (id, queue, kind, payload, payload_v, entity_type, entity_id, max_failures, priority, state, finished_at)
      SELECT gen_random_uuid(), 'images', CASE WHEN n % 10 = 0 THEN 'send-mail' ELSE 'process-image' END, '{}', 1, 'offer', n::text,
        5, 10, CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'succeeded' END, now()
      FROM generate_series(1, 30000) n`);
    await api.db.query("ANALYZE job");
    const explain = vi.spyOn(api.db.manager, "query");
    for (const query of [
      "",
      "state=failed",
      "state=open",
      "state=succeeded",
      "kind=send-mail",
      "entity=offer:77",
      "queue=images",
    ])
      await list(query);
    const statements = explain.mock.calls.filter(([sql]) => /^\s*(WITH|SELECT (found\.)?id)/.test(sql));
    explain.mockRestore();
    expect(statements).toHaveLength(7);
    for (const [sql, values] of statements) {
      const plan = JSON.stringify(await api.db.query(`EXPLAIN (FORMAT JSON) ${sql}`, values));
      expect(plan, sql).not.toContain("Seq Scan");
    }
  });
});

describe("GET /jobs/failures", () => {
  test("groups by kind and cause, the most frequent first, and leaves out what is old or was wanted", async () => {
    for (const n of [1, 2, 3]) await fail(await promise(), `Offer ${n} is gone`);
    await fail(await promise(), "No", "Error: No");
    await fail(await promise(), "Old", "Error: Old");
    await api.db.query("UPDATE job SET finished_at = now() - interval '15 days' WHERE error_key = 'Error: Old'");
    await change(await promise(), { state: "cancelled", finishedAt: new Date() });
    const { body } = await ask("GET", "/jobs/failures");
    expect(body.items).toMatchObject([
      {
        kind: "render-document",
        error_key: "Error: Offer <n> is gone",
        count: 3,
        example: { message: "Offer 3 is gone" },
      },
      { error_key: "Error: No", count: 1 },
    ]);
    const all = await ask("GET", "/jobs/failures?since=2020-01-01T00:00:00Z");
    expect(all.body.items).toHaveLength(3);
  });
});

describe("GET /jobs/{id}/events", () => {
  async function* eventsOf(url: string, id: string, lastId?: string) {
    const headers = { authorization: `Bearer ${api.tokens.employee}`, ...(lastId && { "last-event-id": lastId }) };
    const leave = new AbortController();
    const { body, status } = await fetch(`${url}/jobs/${id}/events`, { headers, signal: leave.signal });
    expect(status).toBe(200);
    let text = "";
    try {
      for await (const chunk of body ?? []) {
        text += Buffer.from(chunk).toString();
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const lines = text.slice(0, end).split("\n");
          text = text.slice(end + 2);
          yield Object.fromEntries(lines.map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]));
        }
      }
    } finally {
      leave.abort();
    }
  }
  type Event = { id?: string; event?: string; data?: string; retry?: string };
  async function until(events: AsyncGenerator<Event>, isWanted: (event: Event) => boolean) {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error("The stream ended");
      if (isWanted(value)) return value;
    }
  }

  test("tells every change of the job, and goes on in another process without a repetition", {
    timeout: 60_000,
  }, async () => {
    const [one, two] = [await processes.start(), await processes.start()];
    const id = await promise();
    const first = eventsOf(one.url, id);
    const opened = await until(first, ({ event }) => event === "job");
    expect(JSON.parse(String(opened.data))).toMatchObject({ id, status: "open" });
    await change(id, { state: "running", progress: { done: 1, total: 2 }, leaseUntil: new Date(Date.now() + 60_000) });
    const running = await until(first, ({ event }) => event === "job");
    expect(JSON.parse(String(running.data))).toMatchObject({ status: "running", progress: { done: 1, total: 2 } });
    await first.return(undefined);

    const second = eventsOf(two.url, id, running.id);
    await until(second, ({ retry }) => retry !== undefined);
    await change(id, { state: "succeeded", finishedAt: new Date(), result: { ok: true } });
    const ended = await until(second, ({ event }) => event === "job");
    expect(JSON.parse(String(ended.data))).toMatchObject({ status: "succeeded", result: { ok: true } });
    await until(second, ({ event }) => event === "end");

    const third = eventsOf(one.url, id, ended.id);
    const seen: Event[] = [];
    for await (const event of third) seen.push(event);
    expect(seen.map(({ event }) => event)).toEqual([undefined, "end"]);
  });

  test("is refused beyond so many streams of one user, until one of them is closed", async () => {
    const id = await promise();
    const open = Array.from({ length: 20 }, () => eventsOf(api.url, id));
    await Promise.all(open.map((events) => until(events, ({ event }) => event === "job")));
    const { status, headers } = await ask("GET", `/jobs/${id}/events`);
    expect([status, headers.get("retry-after")]).toEqual([429, "2"]);
    await Promise.all(open.map((events) => events.return(undefined)));
    await vi.waitFor(async () => {
      const again = eventsOf(api.url, id);
      await until(again, ({ event }) => event === "job");
      await again.return(undefined);
    }, 10_000);
  });
});

describe("POST /jobs/replays", () => {
  useWorker(api);
  beforeAll(async () => {
    await api.db.query("DELETE FROM job_outbox; DELETE FROM job");
  });
  const replay = (body: object) => ask("POST", "/jobs/replays", { reason: "The offer is back", ...body });
  const failures = async (count: number) => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push(await promise());
    for (const id of ids) await fail(id);
    await api.db.query("DELETE FROM job_outbox");
    return ids;
  };

  test("only counts in a dry run, and refuses a filter that would replay everything", async () => {
    const ids = await failures(3);
    const { status, body } = await replay({ filter: { state: "failed" }, dry_run: true });
    expect([status, body.count, body.sample.sort()]).toEqual([200, 3, ids.sort()]);
    expect((await find(String(ids[0]))).state).toBe("failed");
    for (const filter of [{}, { state: undefined }, { unknown: 1 }])
      expect((await replay({ filter })).status).toBe(422);
  });

  test("means by times only jobs that ended from then on and before then", async () => {
    const ids = await failures(4);
    const hour = (n: number) => `2026-03-08T${String(n).padStart(2, "0")}:00:00.000Z`;
    for (const [n, id] of ids.entries())
      await api.db.query("UPDATE job SET finished_at = $2 WHERE id = $1", [id, hour(n)]);
    const filter = { state: "failed", ended_since: hour(1), ended_until: hour(3) };
    const { body } = await replay({ filter, dry_run: true });
    expect([body.count, body.sample.sort()]).toEqual([2, [ids[1], ids[2]].sort()]);
    expect((await replay({ filter: { ...filter, ended_since: "yesterday" } })).status).toBe(422);
    await api.db.query("DELETE FROM job_outbox; DELETE FROM job");
  });

  test("runs each job again once, however often it is asked for, and nothing else", async () => {
    const ids = await failures(30);
    const other = await promise();
    await fail(other, "No", "Error: No");
    const filter = { error: "Error: Offer <n> is gone" };
    const asked = await Promise.all(Array.from({ length: 4 }, () => replay({ filter, limit_per_minute: 6_000 })));
    expect(asked.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(new Set(asked.map(({ body }) => body.id)).size).toBe(1);
    const job = String(asked[0]?.body.id);
    await vi.waitFor(async () => expect((await find(job)).state).toBe("succeeded"), { timeout: 10_000 });
    expect(await find(job)).toMatchObject({ result: { replayed: 30 }, progress: { done: 30, total: 30 } });
    // Their documents do not exist, so they end well at once.
    await vi.waitFor(async () => {
      for (const id of ids) expect(await find(id)).toMatchObject({ state: "succeeded", gen: 2 });
    }, 10_000);
    expect((await find(other)).state).toBe("failed");
  });

  test("keeps to its pace, says how far it is, and stops when it is cancelled", async () => {
    const ids = await failures(50);
    const { body } = await replay({ filter: { kind: "render-document" }, limit_per_minute: 60 });
    await vi.waitFor(
      async () => expect((await ask("GET", `/jobs/${body.id}`)).body.progress).toEqual({ done: 6, total: 50 }),
      10_000,
    );
    expect((await ask("POST", `/jobs/${body.id}/cancel`, { reason: "enough" })).status).toBe(202);
    await vi.waitFor(async () => expect((await find(body.id)).state).toBe("cancelled"), 10_000);
    const states = await Promise.all(ids.map(async (id) => (await find(id)).state));
    expect(states.filter((state) => state === "failed")).toHaveLength(44);
  });
});
