import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { AnyJob } from "../../src/engine/define-job.ts";
import { Job } from "../../src/engine/job-entity.ts";
import type { JobRun as EngineJobRun } from "../../src/engine/processor.ts";
import { deliverWebhook } from "../../src/jobs/deliver-webhook.ts";
import { createWebhookClient } from "../../src/platform/webhook-client.ts";
import { noMailRules } from "../../src/services/mail/mail-rules.ts";
import { cancelJob } from "../../src/services/operations/job-control.ts";
import { recordEvent } from "../../src/services/webhooks/events.ts";
import {
  changeEndpoint,
  deleteEndpoint,
  pingEndpoint,
  recordNotDelivered,
  rotateSecret,
} from "../../src/services/webhooks/webhook-endpoints.ts";
import type { JobRun } from "../../src/workers/context.ts";
import { startEventFanOut } from "../../src/workers/fan-out-events.ts";
import { deliverWebhookProcessor } from "../../src/workers/processors/deliver-webhook.ts";
import { useEngine } from "../support/engine.ts";
import { anAdmin } from "../support/operators.ts";
import { useReceiver } from "../support/receiver.ts";
import { addEndpoint } from "../support/webhook-endpoints.ts";

type Run = JobRun<"deliver-webhook">;
const receiver = useReceiver();
const webhookClient = createWebhookClient({ allowPrivate: true, answerMs: 1_000, bodyMs: 100 });
const soon = { ...deliverWebhook, retry: { attempts: 10, backoffMs: 5, outageMs: 50 } } as AnyJob;
const engine = useEngine([soon], {
  queue: "webhooks",
  context: { webhookClient },
  run: {
    [deliverWebhook.name]: (job, context) => deliverWebhookProcessor.run(job as EngineJobRun<unknown> as Run, context),
  },
});
const { db, origin } = engine;
const stop = new AbortController();
const loops: Promise<void>[] = [];

beforeEach(async () => {
  await db.query("UPDATE webhook_endpoints SET is_active = false");
  receiver.received.length = 0;
  receiver.answer = (res) => res.writeHead(204).end();
  // As if there were three worker processes.
  const { transact } = engine;
  while (loops.length < 3)
    loops.push(startEventFanOut({ db, mailRules: noMailRules, transact, log: engine.log, signal: stop.signal }));
});
afterAll(async () => {
  stop.abort();
  await Promise.all(loops);
});

/** Lets an order be made, and returns its id. */
async function makeOrder() {
  const id = randomUUID();
  await engine.transact(origin, (tx) => recordEvent(tx, "order.created", { id, status: "NEW" }));
  return id;
}
const endpointAt = (path: string, values = {}) => addEndpoint(db, { url: receiver.url + path, ...values });
const receivedAt = (path: string) => receiver.received.filter((one) => one.path === path);
const jobsOf = (entityId: string) => db.manager.find(Job, { where: { entityId }, order: { id: "ASC" } });
const untilJob = (entityId: string, wanted: Partial<Job>) =>
  vi.waitFor(
    async () => {
      const [job] = await jobsOf(entityId);
      expect(job).toMatchObject(wanted);
      return job as Job;
    },
    { timeout: 10_000, interval: 20 },
  );
const verify = (secret: string, { headers, body }: (typeof receiver.received)[number]) =>
  new Webhook(secret).verify(body, headers);

describe("a webhook", () => {
  test("tells each subscriber once, signed as Standard Webhooks has it", async () => {
    const [one, other] = [await endpointAt("/one"), await endpointAt("/other")];
    const order = await makeOrder();
    for (const [path, { id, secret, find }] of [
      ["/one", one],
      ["/other", other],
    ] as const) {
      const job = await untilJob(id, { state: "succeeded" });
      expect(job.result).toEqual({ status: 204, ms: expect.any(Number) });
      const [received, ...more] = receivedAt(path);
      expect(more).toEqual([]);
      if (!received) throw new Error("nothing received");
      expect(verify(secret, received)).toEqual({
        type: "order.created",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        data: { id: order, status: "NEW" },
      });
      expect(received.headers["content-type"]).toBe("application/json");
      expect(received.headers["webhook-id"]).toBe((job.payload as { eventId: string }).eventId);
      expect((await find()).consecutiveFailures).toBe(0);
    }
    const [received] = receivedAt("/one");
    expect(() => verify(other.secret, received ?? expect.fail())).toThrow("No matching signature");
  });

  test("is tried again under the same id until it is taken", async () => {
    const answers = [500, 404, 429];
    receiver.answer = (res) => res.writeHead(answers.shift() ?? 200).end("<h1>no such customer as Nina</h1>");
    const { id, find } = await endpointAt("/shaky");
    await makeOrder();
    const job = await untilJob(id, { state: "succeeded", failures: 3 });
    expect(job.attempts.map(({ error }) => error?.message)).toEqual(
      [500, 404, 429].map((status) => `The endpoint answered ${status}`),
    );
    expect(job.errorKey).toBe("DeliveryError: The endpoint answered <n>");
    expect(new Set(receivedAt("/shaky").map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(receivedAt("/shaky")).toHaveLength(4);
    expect(await find()).toMatchObject({ consecutiveFailures: 0, failingSince: null, isActive: true });
  });

  test("follows no redirect, and fails for good when that is all there is", async () => {
    receiver.answer = (res) => res.writeHead(302, { location: `${receiver.url}/secret-place` }).end();
    const { id, find } = await endpointAt("/moved");
    await makeOrder();
    await untilJob(id, { state: "failed", failures: 10 });
    expect(receivedAt("/secret-place")).toEqual([]);
    expect(await find()).toMatchObject({ consecutiveFailures: 10, isActive: true });
  });

  test("is taken by 2xx, however slow the body is", async () => {
    receiver.answer = (res) => res.writeHead(200).write("…");
    const { id } = await endpointAt("/slow-body");
    await makeOrder();
    await untilJob(id, { state: "succeeded", failures: 0 });
  });

  test("is tried again when there is no answer in time, and cancelled while it waits for one", async () => {
    receiver.answer = () => undefined;
    const { id } = await endpointAt("/silent");
    await makeOrder();
    const job = await untilJob(id, { failures: 1 });
    expect(job.lastError?.message).toBe("No answer within 1 s");
    await vi.waitFor(() => expect(receivedAt("/silent").length).toBeGreaterThan(1), 10_000);
    await engine.transact(origin, (tx) => cancelJob(tx, job.id, { ...anAdmin, reason: "test" }));
    await untilJob(id, { state: "cancelled" });
  });

  test("is not sent to an address that has become one of ours", async () => {
    const { id, find } = await addEndpoint(db, { url: "http://169.254.169.254/latest/meta-data" });
    await makeOrder();
    const { lastError } = await untilJob(id, { state: "failed", failures: 1 });
    expect(lastError?.message).toBe("The endpoint's address is refused: '169.254.169.254' is not a public address");
    expect((await find()).consecutiveFailures).toBe(1);
  });

  test("goes on to others while one endpoint is silent", async () => {
    const silent = await endpointAt("/silent-for-long");
    await endpointAt("/quick");
    receiver.answer = (res, { path }) => path === "/quick" && res.writeHead(204).end();
    await makeOrder();
    await vi.waitFor(async () => expect((await silent.find()).consecutiveFailures).toBeGreaterThan(0), 5_000);
    const before = receivedAt("/silent-for-long").length;
    await engine.transact(origin, async (tx) => {
      for (let n = 0; n < 100; n++) await recordEvent(tx, "order.created", { id: randomUUID(), status: "NEW" });
    });
    await vi.waitFor(() => expect(receivedAt("/quick")).toHaveLength(101), { timeout: 20_000 });
    // Turns alone had tried the silent one as often by then.
    expect(receivedAt("/silent-for-long").length - before).toBeLessThan(60);
    await engine.transact(origin, (tx) => changeEndpoint(tx, { id: silent.id, patch: { isActive: false } }));
  }, 30_000);
});

describe("an endpoint", () => {
  test("that answers 410 is switched off at once", async () => {
    receiver.answer = (res) => res.writeHead(410).end();
    const { id, find } = await endpointAt("/gone");
    await makeOrder();
    await untilJob(id, { state: "failed", failures: 1 });
    expect(await find()).toMatchObject({ isActive: false, disabledReason: "It answered 410 Gone" });
    await makeOrder();
    await vi.waitFor(
      async () => expect(await db.query("SELECT FROM events WHERE fanned_out_at IS NULL")).toHaveLength(0),
      10_000,
    );
    expect(await jobsOf(id)).toHaveLength(1);
  });

  test("is switched off after 20 failures in a row over three days, and starts again when it is switched on", async () => {
    const { id, find } = await endpointAt("/dead");
    const fail = () => db.transaction((tx) => recordNotDelivered(tx, id));
    for (let n = 0; n < 25; n++) await fail();
    expect(await find()).toMatchObject({ consecutiveFailures: 25, isActive: true });
    const fails = (count: number, hours: number) =>
      db.query(
        `UPDATE webhook_endpoints SET consecutive_failures = $2, failing_since = now() - $3 * interval '1 hour'
         WHERE id = $1`,
        [id, count, hours],
      );
    await fails(18, 80);
    await fail();
    expect((await find()).isActive).toBe(true);
    await fails(30, 71);
    await fail();
    expect((await find()).isActive).toBe(true);
    await fails(19, 73);
    await fail();
    expect(await find()).toMatchObject({
      ...{ consecutiveFailures: 20, isActive: false },
      ...{ disabledAt: expect.any(Date), disabledReason: "All deliveries failed for 3 days" },
    });
    await db.transaction((tx) => changeEndpoint(tx, { id, patch: { isActive: true } }));
    expect(await find()).toMatchObject({
      ...{ consecutiveFailures: 0, failingSince: null, isActive: true },
      ...{ disabledAt: null, disabledReason: null },
    });
  });

  test("that is switched off or deleted is told nothing of what was on its way", async () => {
    receiver.answer = (res) => res.writeHead(503).end();
    const [off, deleted] = [await endpointAt("/off"), await endpointAt("/deleted")];
    await makeOrder();
    for (const { id } of [off, deleted]) {
      await vi.waitFor(async () => expect((await jobsOf(id))[0]?.failures).toBeGreaterThan(0), 10_000);
    }
    await engine.transact(origin, (tx) => changeEndpoint(tx, { id: off.id, patch: { isActive: false } }));
    await engine.transact(origin, (tx) => deleteEndpoint(tx, deleted.id));
    const { lastError } = await untilJob(off.id, { state: "failed" });
    expect(lastError?.message).toBe("The endpoint is disabled; enable it and retry the job");
    const { result } = await untilJob(deleted.id, { state: "succeeded" });
    expect(result).toEqual({ skipped: "the endpoint was deleted" });
  });

  test("gets a ping, even if it is switched off", async () => {
    const { id, secret } = await endpointAt("/ping", { isActive: false });
    await engine.transact(origin, (tx) => pingEndpoint(tx, id));
    await untilJob(id, { state: "succeeded" });
    expect(verify(secret, receivedAt("/ping")[0] ?? expect.fail())).toMatchObject({ type: "ping", data: { id } });
    expect(await jobsOf(id)).toHaveLength(1);
  });

  test("can check with the secret before for a day after it got another", async () => {
    const { id, secret: old } = await endpointAt("/rotated");
    const fresh = await db.transaction((tx) => rotateSecret(tx, id));
    expect(fresh).not.toBe(old);
    await makeOrder();
    await vi.waitFor(() => expect(receivedAt("/rotated")).toHaveLength(1), 10_000);
    for (const secret of [old, fresh]) verify(secret, receivedAt("/rotated")[0] ?? expect.fail());

    await db.query("UPDATE webhook_endpoints SET previous_secret_until = now() WHERE id = $1", [id]);
    await makeOrder();
    await vi.waitFor(() => expect(receivedAt("/rotated")).toHaveLength(2), 10_000);
    const second = receivedAt("/rotated")[1] ?? expect.fail();
    verify(fresh, second);
    expect(() => verify(old, second)).toThrow("No matching signature");
  });
});
