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
/** Whom each delivery went to, in the order of arrival. */
const arrivals: string[] = [];
const arrivalsOf = (subscriber: string) => arrivals.filter((path) => path === subscriber).length;

beforeAll(async () => {
  // Long enough for the crowd to be still waiting at the end.
  receiver.answer = async (res, { path }) => {
    arrivals.push(path);
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

/** How many deliveries to others arrive between the promise of ten and the last of them. */
async function othersBeforeTen(subscriber: string) {
  const path = await tell(subscriber, 10);
  const promisedAt = arrivals.length;
  await vi.waitFor(() => expect(arrivalsOf(path)).toBe(10), { interval: 10 });
  return arrivals.lastIndexOf(path) - promisedAt - 10 + 1;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test("two workers tell one subscriber of ten events in turns with another that is told of ten thousand", {
  timeout: 120_000,
}, async () => {
  const crowd = await tell("crowd", 10_000);
  await vi.waitFor(() => expect(arrivalsOf(crowd)).toBeGreaterThan(20));
  const others: number[] = [];
  for (let n = 0; n < 5; n++) others.push(await othersBeforeTen(`beside-${n}`));
  // They take turns once they are published; before that the crowd has the workers to itself.
  expect(median(others), String(others)).toBeLessThan(100);
  const told = arrivalsOf(crowd);
  expect(told, "the crowd is still being told").toBeLessThan(10_000);
  await vi.waitFor(() => expect(arrivalsOf(crowd)).toBeGreaterThan(told));
});
