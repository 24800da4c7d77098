import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createQueues, type Queues } from "../../../src/engine/bull-queues.ts";
import { readOutboxStats } from "../../../src/engine/outbox.ts";
import { queuePauses } from "../../../src/engine/queue-controls.ts";
import { createAutoscaler } from "../../../src/engine/scaling/autoscaler.ts";
import { wantedKey } from "../../../src/engine/scaling/queue-load.ts";
import { countThroughput, summarise } from "../../../src/engine/scaling/throughput.ts";
import { type QueueName, queueNames } from "../../../src/jobs/queues.ts";
import { scalingRules } from "../../../src/jobs/scaling.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { producerConnection, type RedisConnection } from "../../../src/platform/redis.ts";
import { useDatabase } from "../../support/database.ts";
import { redisAddress } from "../../support/redis.ts";

const db = useDatabase();
const log = createLogger("silent", "test");
const rules = scalingRules({ mail: { minWorkers: 0, concurrency: 5 } });
let connection: RedisConnection;
let queues: Queues<QueueName>;

beforeAll(async () => {
  connection = producerConnection(redisAddress, log);
  await vi.waitFor(() => expect(connection.status).toBe("ready"), 10_000);
});
beforeEach(async () => {
  await db.query("DELETE FROM queue_pause; DELETE FROM job_outbox; DELETE FROM job");
  queues = createQueues(queueNames, connection, `test-${randomUUID()}`, log);
});
afterAll(() => connection.disconnect());

const autoscaler = () => createAutoscaler({ queues, rules, readStats: () => readOutboxStats(db.manager), log });
const explain = () => autoscaler().explain("mail");

/** Puts jobs into the queue `mail` as the relay does; BullMQ's `timestamp` says since when they wait. */
async function add(
  count: number,
  { agedSeconds = 0, ...opts }: { agedSeconds?: number; priority?: number; delay?: number } = {},
) {
  const timestamp = Date.now() - agedSeconds * 1_000;
  const jobs = Array.from({ length: count }, () => ({
    name: "send-mail",
    data: { id: randomUUID() },
    opts: { timestamp, ...opts },
  }));
  return queues.byName.mail.addBulk(jobs);
}

describe("the autoscaler", () => {
  test("counts jobs that wait, with a priority or without, and not those that are put off", async () => {
    await add(3);
    await add(4, { priority: 50 });
    await add(5, { delay: 60_000 });
    const { inputs, desiredWorkers } = await explain();
    expect(inputs).toMatchObject({ waiting: 3, prioritized: 4, delayedDue: 0, ready: 7, active: 0, delayed: 5 });
    expect(desiredWorkers).toBe(1);
  });

  test("takes the age of the oldest job of any priority", async () => {
    await add(1, { agedSeconds: 10 });
    await add(2, { priority: 50, agedSeconds: 20 });
    expect((await explain()).inputs.oldestReadyAgeSeconds).toBeCloseTo(20, 0);
    await add(1, { priority: 100, agedSeconds: 300 });
    expect((await explain()).inputs.oldestReadyAgeSeconds).toBeCloseTo(300, 0);
  });

  test("counts a job that was put off as ready once its time has come", async () => {
    await add(1, { delay: 1 });
    await vi.waitFor(async () => expect((await explain()).inputs).toMatchObject({ delayedDue: 1, ready: 1 }), 10_000);
  });

  test("counts what is promised in Postgres and not in Redis yet", async () => {
    const id = randomUUID();
    await db.query(
      `INSERT INTO job (id, queue, kind, payload, payload_v, priority, max_failures) VALUES ($1, 'mail', 'send-mail', '{}', 1, 50, 3)`,
      [id],
    );
    await db.query(
      `INSERT INTO job_outbox (job_id, queue, kind, gen, priority, max_failures, run_at)
       VALUES ($1, 'mail', 'send-mail', 1, 50, 3, now() - interval '40 seconds')`,
      [id],
    );
    const { inputs, desiredWorkers } = await explain();
    expect(inputs).toMatchObject({ unpublished: 1, ready: 1 });
    expect(inputs.oldestReadyAgeSeconds).toBeCloseTo(40, 0);
    expect(desiredWorkers).toBe(1);
  });

  test("wants no worker for a queue that people have paused, also before Redis knows it", async () => {
    await add(1_000);
    await queuePauses.add(db.manager, "mail", null, "tested");
    expect(await explain()).toMatchObject({ desiredWorkers: 0, inputs: { isPaused: true } });
    await queuePauses.remove(db.manager, "mail");
    expect((await explain()).desiredWorkers).toBeGreaterThan(0);
    await queues.byName.mail.pause();
    expect(await explain()).toMatchObject({ desiredWorkers: 0, inputs: { isPaused: true } });
  });

  test("sees the limits that operators set on a queue", async () => {
    await queues.byName.mail.setGlobalConcurrency(4);
    await queues.byName.mail.setGlobalRateLimit(100, 10_000);
    expect((await explain()).inputs).toMatchObject({ globalConcurrency: 4, startsPerSecond: 10 });
  });

  test("does as an operator wants until that expires", async () => {
    await connection.set(wantedKey(queues, "mail"), "7", "EX", 60);
    expect((await explain()).desiredWorkers).toBe(7);
    await connection.del(wantedKey(queues, "mail"));
    expect((await explain()).desiredWorkers).toBe(0);
  });

  test("gives the same answer from every replica", async () => {
    await add(500, { agedSeconds: 12 });
    const [one, other] = await Promise.all([autoscaler().explain("mail"), autoscaler().explain("mail")]);
    expect(Math.abs(one.desiredWorkers - other.desiredWorkers)).toBeLessThanOrEqual(1);
    expect(one.desiredWorkers).toBeGreaterThan(1);
  });

  test("adds up what all processes have counted, and which workers live", async () => {
    const counts = ["one", "two"].map((name) => countThroughput(queues, { name, queues: ["mail"] }));
    for (const count of counts) {
      count.arrived("mail", 30);
      count.ran("mail", 1.5, true);
      count.ran("mail", 0.5, false);
    }
    await vi.waitFor(async () => {
      const { inputs } = await explain();
      expect(inputs).toMatchObject({ workers: 2, completions: 2, busySeconds: 4 });
      expect(inputs.arrivalsPerSecond).toBeGreaterThan(0.5);
    }, 10_000);
    await counts[0]?.close();
    expect((await explain()).inputs.workers).toBe(1);
    await counts[1]?.close();
  });

  test("rejects while Redis is unavailable instead of asking for no workers", async () => {
    const away = producerConnection("redis://127.0.0.1:1", log);
    const lost = createAutoscaler({
      queues: createQueues(queueNames, away, "test", log),
      rules,
      readStats: () => readOutboxStats(db.manager),
    });
    await expect(lost.explain("mail")).rejects.toThrow();
    away.disconnect();
  });

  test("rejects while Postgres is unavailable", async () => {
    const lost = createAutoscaler({ queues, rules, readStats: () => Promise.reject(new Error("away")) });
    await expect(lost.explain("mail")).rejects.toThrow("away");
  });
});

describe("summarise", () => {
  const now = 1_000_000_000;
  const bucket = now / 5_000;

  test("averages a steady stream to its rate", () => {
    const fields = Object.fromEntries(
      Array.from({ length: 121 }, (_, age) => [`arrived:${bucket - age}`, age ? "50" : "0"]),
    );
    expect(summarise(fields, now).arrivalsPerSecond).toBeCloseTo(10, 5);
  });

  test("forgets half of what came each half minute", () => {
    const after = (seconds: number) =>
      summarise({ [`arrived:${bucket}`]: "100" }, now + seconds * 1_000).arrivalsPerSecond;
    expect(after(65) / after(35)).toBeCloseTo(0.5, 2);
  });

  test("looks back for ten minutes", () => {
    const fields = { [`completed:${bucket}`]: "3", [`busy:${bucket}`]: "4500" };
    expect(summarise(fields, now + 599_000)).toMatchObject({ completions: 3, busySeconds: 4.5 });
    expect(summarise(fields, now + 606_000)).toMatchObject({ completions: 0, busySeconds: 0 });
  });
});
