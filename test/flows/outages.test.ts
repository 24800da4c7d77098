import pg from "pg";
import { describe, expect, inject, test, vi } from "vitest";
import { call, objectKeys, sendCategory, stored, type TestApi, useApi, useWorker } from "../support/api.ts";
import { redPng } from "../support/images.ts";
import { useOwnRedis } from "../support/redis.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const isDone = (api: TestApi, id: string) => async () => {
  const { body } = await call(`${api.url}/categories/${id}`);
  expect(body.image_job?.status).toBe("succeeded");
  return body;
};

describe("while Redis is unavailable", () => {
  const redis = useOwnRedis();
  const api = useApi({ redis });
  useWorker(api);

  test("a category is taken all the same, lists work, and the picture is there after Redis is back", async () => {
    await redis.stop();
    const { status, body } = await sendCategory(api, { name: "Без брокера", image: await redPng() });
    expect(status).toBe(201);
    expect((await call(`${api.url}/categories`)).body.items.map(({ name }) => name)).toEqual(["Без брокера"]);
    const readiness = await call(`${api.url}/-/health-checks/readiness`);
    expect([readiness.status, readiness.body.detail]).toEqual([503, "Not ready: redis"]);
    const board = await call(`${api.url}/admin/queues`, { headers: { authorization: `Bearer ${api.tokens.admin}` } });
    expect(board.status).toBe(503);
    await redis.start();
    await vi.waitFor(isDone(api, body.id), { timeout: 5_000, interval: 50 });
  });
});

describe("a worker that died after its commit", () => {
  const api = useApi();
  useWorker(api);

  test("leaves no upload behind: the worker that is handed the job again removes it", async () => {
    const { body } = await sendCategory(api, { name: `Почти ${Date.now()}`, image: await redPng() });
    await vi.waitFor(isDone(api, body.id), { timeout: 5_000, interval: 50 });
    await vi.waitFor(async () => expect(await objectKeys(api.s3, "staged/")).toEqual([]), 10_000);
    await api.context.store.put("staged/left", Buffer.from("x"), { contentType: "image/png" });
    await api.db.query("UPDATE images SET staged_key = 'staged/left'");
    const id = body.image_job?.id ?? "";
    await api.queues.byName.images.add("process-image", { id }, { jobId: `${id}-2` });
    await vi.waitFor(async () => expect(await objectKeys(api.s3, "staged/")).toEqual([]), 10_000);
    expect((await isDone(api, body.id)()).images).toEqual(expect.arrayContaining([expect.anything()]));
    expect(await api.db.query("SELECT epoch FROM job")).toEqual([{ epoch: 1 }]);
  });
});

describe("while S3 is unavailable", () => {
  const api = useApi();
  useWorker(api);

  test("503 with Retry-After, and nothing is stored", async () => {
    const before = await stored(api);
    await api.s3.stop();
    const { status, headers } = await sendCategory(api, { name: "Без хранилища", image: await redPng(300, 300) });
    await api.s3.start();
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await stored(api)).toEqual(before);
  });

  test("a promised picture waits for it and costs no attempt", async () => {
    await api.queues.byName.images.pause();
    const { body } = await sendCategory(api, { name: "Потом", image: await redPng() });
    await api.s3.stop();
    await api.queues.byName.images.resume();
    const job = () => call(body.image_job?.url.replace("https://api.test", api.url) ?? "", asEmployee(api));
    const find = () =>
      api.db.query("SELECT state, failures FROM job WHERE epoch > 0 AND id = $1", [body.image_job?.id]);
    await vi.waitFor(async () => expect(await find()).toEqual([{ state: "open", failures: 0 }]), 10_000);
    expect((await job()).body.error?.message).toBe("The object store cannot be reached");
    await api.s3.start();
    await vi.waitFor(isDone(api, body.id), { timeout: 15_000, interval: 100 });
    expect((await job()).body).toMatchObject({ status: "succeeded", failures: 0 });
  });
});

describe("while Postgres takes no writes, as after a fail-over", () => {
  const api = useApi();
  useWorker(api);

  /** New sessions of the API's database; those that are open end. */
  async function setReadOnly(isOn: boolean) {
    const [{ name }] = await api.db.query("SELECT current_database() AS name");
    const admin = new pg.Client(inject("postgresUrl"));
    await admin.connect();
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${isOn ? "on" : "off"}`);
    const end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1";
    if (isOn) await admin.query(end, [name]);
    await admin.end();
  }

  test("changes are 503 with Retry-After, lists work, jobs lose nothing, and soon all is as before", async () => {
    await api.queues.byName.images.pause();
    const { body } = await sendCategory(api, { name: "До", image: await redPng() });
    await setReadOnly(true);
    const change = async () => {
      const { status, headers } = await sendCategory(api, { name: `После ${Date.now()}`, image: await redPng() });
      return [status, headers.get("retry-after")];
    };
    await vi.waitFor(async () => expect(await change()).toEqual([503, "5"]), 10_000);
    expect(await Promise.all([change(), change(), change()])).toEqual(Array(3).fill([503, "5"]));
    expect((await call(`${api.url}/categories/${body.id}`)).status).toBe(200);
    await api.queues.byName.images.resume();
    await setReadOnly(false);
    // Each session that refused a write has been replaced: the next request may still meet one that has not.
    await vi.waitFor(async () => expect(await change()).toEqual([201, null]), { timeout: 5_000, interval: 20 });
    await vi.waitFor(isDone(api, body.id), { timeout: 30_000, interval: 100 });
    expect(await api.db.query("SELECT failures FROM job WHERE id = $1", [body.image_job?.id])).toEqual([
      { failures: 0 },
    ]);
  });
});

const asEmployee = (api: TestApi) => ({ headers: { authorization: `Bearer ${api.tokens.employee}` } });

describe("a worker that dies", () => {
  const api = useApi();
  const workers = useWorkerProcesses(api);

  test("by kill -9 in the middle: another one finishes the picture, once", { timeout: 120_000 }, async () => {
    const first = await workers.start();
    const { body } = await sendCategory(api, { name: "Убит", image: await redPng(6_000, 6_000) });
    const state = async () => (await call(`${api.url}/categories/${body.id}`)).body.image_job?.status;
    await vi.waitFor(async () => expect(await state()).toBe("running"), { timeout: 10_000, interval: 2 });
    await workers.stop(first, "SIGKILL");
    expect(await state()).toBe("running");
    const second = await workers.start();
    const done = await vi.waitFor(isDone(api, body.id), { timeout: 45_000, interval: 200 });
    expect(done.images).toHaveLength(4);
    await vi.waitFor(async () => expect(await objectKeys(api.s3, "staged/")).toEqual([]), 10_000);
    expect(await objectKeys(api.s3)).toHaveLength(5);
    const rows = await api.db.query("SELECT kind, epoch, crashes, failures FROM job WHERE id = $1", [
      body.image_job?.id,
    ]);
    expect(rows).toEqual([{ kind: "process-image", epoch: 2, crashes: 1, failures: 0 }]);
    await workers.stop(second, "SIGTERM");
  });

  test("by SIGTERM: it finishes its job, takes no other, and exits with 0", { timeout: 90_000 }, async () => {
    const worker = await workers.start({ WORKER_CONCURRENCY: "1" });
    const { body } = await sendCategory(api, { name: "Вежливо", image: await redPng(5_000, 5_000) });
    const state = async () => (await call(`${api.url}/categories/${body.id}`)).body.image_job?.status;
    await vi.waitFor(async () => expect(await state()).toBe("running"), { timeout: 10_000, interval: 2 });
    const other = await sendCategory(api, { name: "Следующий", image: await redPng() });
    expect(await workers.stop(worker, "SIGTERM")).toEqual([0, null]);
    expect(await state()).toBe("succeeded");
    expect((await call(`${api.url}/categories/${other.body.id}`)).body.image_job?.status).toBe("open");
  });

  test("by SIGTERM without time to finish: the job goes back unharmed", { timeout: 90_000 }, async () => {
    const worker = await workers.start({ DRAIN_TIMEOUT_MS: "0" });
    const { body } = await sendCategory(api, { name: "В спешке", image: await redPng(6_500, 6_500) });
    const state = async () => (await call(`${api.url}/categories/${body.id}`)).body.image_job?.status;
    await vi.waitFor(async () => expect(await state()).toBe("running"), { timeout: 10_000, interval: 2 });
    expect(await workers.stop(worker, "SIGTERM")).toEqual([0, null]);
    const find = () =>
      api.db.query("SELECT state, failures, crashes, last_error FROM job WHERE id = $1", [body.image_job?.id]);
    expect(await find()).toEqual([{ state: "open", failures: 0, crashes: 0, last_error: null }]);
    await workers.start();
    await vi.waitFor(isDone(api, body.id), { timeout: 45_000, interval: 50 });
    expect(await find()).toEqual([{ state: "succeeded", failures: 0, crashes: 0, last_error: null }]);
  });
});
