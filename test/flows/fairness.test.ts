import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test, vi } from "vitest";
import { enqueueAll } from "../../src/engine/outbox.ts";
import { deliverWebhook } from "../../src/jobs/deliver-webhook.ts";
import { useApi } from "../support/api.ts";
import { useReceiver } from "../support/receiver.ts";
import { addEndpoint } from "../support/webhook-endpoints.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi({ relay: false });
const workers = useWorkerProcesses(api);
const receiver = useReceiver();
const env = { WORKER_QUEUES: "webhooks", WEBHOOK_ALLOW_PRIVATE: "true", WORKER_CONCURRENCY: "2" };
const arrivals = new Map<string, number[]>();

beforeAll(async () => {
  // Long beside all the rest, so that a wait is the number of deliveries that went before.
  receiver.answer = async (res, { path }) => {
    arrivals.set(path, [...(arrivals.get(path) ?? []), performance.now()]);
    await sleep(40);
    res.writeHead(204).end();
  };
  await Promise.all([workers.start(env), workers.start(env)]);
}, 30_000);

/** Has an endpoint of its own told of so many events; all are promised when it resolves. */
async function tell(subscriber: string, count: number) {
  const path = `/${subscriber}`;
  const { id } = await addEndpoint(api.db, { url: receiver.url + path });
  const events: { id: string }[] = await api.db.query(
    `INSERT INTO events (type, entity_type, entity_id, data, fanned_out_at)
     SELECT 'order.created', 'order', n, '{}', now() FROM generate_series(1, $1::int) n RETURNING id`,
    [count],
  );
  const origin = { actorId: null, traceId: null };
  const payloads = events.map((event) => ({ eventId: event.id, endpointId: id }));
  await api.context.transact(origin, (tx) => enqueueAll(tx, deliverWebhook, payloads));
  return path;
}

async function p95OfTen(subscriber: string) {
  const began = performance.now();
  const path = await tell(subscriber, 10);
  await vi.waitFor(() => expect(arrivals.get(path)).toHaveLength(10), { timeout: 30_000, interval: 10 });
  return Math.max(...(arrivals.get(path) ?? [])) - began;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const several = async (name: string) => {
  const waits: number[] = [];
  for (let n = 0; n < 5; n++) waits.push(await p95OfTen(`${name}-${n}`));
  return median(waits);
};

test("two workers tell one subscriber of ten events as soon as ever, though another is told of ten thousand", {
  timeout: 120_000,
}, async () => {
  await p95OfTen("first");
  const alone = await several("alone");
  const crowd = await tell("crowd", 10_000);
  await vi.waitFor(() => expect(arrivals.get(crowd)?.length).toBeGreaterThan(20), 30_000);
  const beside = await several("beside");
  const told = arrivals.get(crowd)?.length ?? 0;
  expect(told, "the crowd is still being told").toBeLessThan(10_000);
  expect(beside, `alone ${alone} ms`).toBeLessThan(2 * alone);
  const before = told;
  await vi.waitFor(() => expect(arrivals.get(crowd)?.length).toBeGreaterThan(before), 10_000);
});
