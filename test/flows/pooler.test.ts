import { beforeAll, describe, expect, test, vi } from "vitest";
import { call, sendCategory, useApi } from "../support/api.ts";
import { useApiProcesses } from "../support/api-process.ts";
import { redPng } from "../support/images.ts";
import { hasPgbouncer, usePgbouncer } from "../support/pgbouncer.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi({ relay: false });
const apis = useApiProcesses(api);
const workers = useWorkerProcesses(api);
const pooler = usePgbouncer({ default_pool_size: 3 });

describe.runIf(hasPgbouncer)("an API and a worker behind PgBouncer (skipped where it is not installed)", () => {
  const there = { url: "" };
  beforeAll(async () => {
    const DATABASE_URL = pooler.to(String((api.db.options as { url?: string }).url));
    const env = { DATABASE_URL, DATABASE_POOLER: "transaction" };
    const [started] = await Promise.all([apis.start(env), workers.start(env)]);
    there.url = started.url;
  }, 60_000);

  test("take simultaneous requests, and do their jobs", async () => {
    const image = await redPng();
    const names = Array.from({ length: 24 }, (_, at) => `Разом ${at}`);
    const answers = await Promise.all(names.map((name) => sendCategory({ ...api, url: there.url }, { name, image })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
    await vi.waitFor(
      async () => {
        const states = await api.db.query("SELECT state, count(*)::int AS jobs FROM job GROUP BY state");
        expect(states).toEqual([{ state: "succeeded", jobs: names.length }]);
      },
      { timeout: 60_000, interval: 200 },
    );
    const shown = await Promise.all(answers.map(({ body }) => call(`${there.url}/categories/${body.id}`)));
    expect(shown.map(({ body }) => body.image_job?.status)).toEqual(names.map(() => "succeeded"));
    expect(await api.db.query("SELECT DISTINCT epoch FROM job")).toEqual([{ epoch: 1 }]);
  });

  test("have time-outs: a request that waits for a row is answered after three seconds", async () => {
    const { body } = await sendCategory({ ...api, url: there.url }, { name: "Занята", image: await redPng() });
    await api.db.transaction(async (tx) => {
      await tx.query("SELECT FROM categories WHERE id = $1 FOR UPDATE", [body.id]);
      const began = performance.now();
      const { status, headers } = await call(`${there.url}/categories/${body.id}`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${api.tokens.admin}` },
      });
      expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
      expect(performance.now() - began).toBeGreaterThan(2_500);
    });
  });

  test("go on after a restart of the pooler, with nothing lost", async () => {
    const send = async (name: string) =>
      sendCategory({ ...api, url: there.url }, { name, image: await redPng(900, 900) });
    const before = await Promise.all([1, 2, 3, 4].map((at) => send(`До перезапуска ${at}`)));
    expect(before.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    await pooler.restart(async () => {
      const { status, headers } = await send("Во время перезапуска");
      expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    });
    await vi.waitFor(async () => expect((await send(`После перезапуска ${Date.now()}`)).status).toBe(201), 10_000);
    await vi.waitFor(
      async () => {
        const rows = await api.db.query("SELECT DISTINCT state, failures FROM job");
        expect(rows).toEqual([{ state: "succeeded", failures: 0 }]);
      },
      { timeout: 60_000, interval: 200 },
    );
  }, 90_000);

  test("are named to the server, and leave no lock behind", async () => {
    const seen = () =>
      api.db.query(
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
    await vi.waitFor(async () => {
      const names = (await seen()).map(({ name }: { name: string }) => name);
      expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/^tcf (api|worker images)$/)]));
    }, 10_000);
    await vi.waitFor(async () => {
      const held = await api.db.query(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      );
      expect(held).toEqual([]);
    }, 10_000);
  });
});
