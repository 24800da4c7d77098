import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { enqueue } from "../../../../src/engine/outbox.ts";
import { queueNames } from "../../../../src/jobs/queues.ts";
import { renderDocument } from "../../../../src/jobs/render-document.ts";
import { call, useApi, userIds } from "../../../support/api.ts";
import { useApiProcesses } from "../../../support/api-process.ts";

describe("the queues", () => {
  const api = useApi();
  const processes = useApiProcesses(api);
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json" };
    return call(`${api.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  };
  const isPaused = () => api.queues.byName.mail.isPaused();

  test("are paused with a reason, by whichever process sees it, and go on when that is taken back", async () => {
    await processes.start();
    const { body } = await ask("PUT", "/queues/mail/pause", { reason: "The mail server moves" });
    expect(body).toMatchObject({ name: "mail", pause: { by: userIds.admin, reason: "The mail server moves" } });
    await vi.waitFor(async () => expect(await isPaused()).toBe(true), { timeout: 5_000 });

    const again = await ask("PUT", "/queues/mail/pause", { reason: "Another one" });
    expect(again.body).toMatchObject({ pause: { reason: "The mail server moves" } });
    const { body: all } = await ask("GET", "/queues");
    expect(all.items.filter((one: unknown) => (one as { pause: unknown }).pause !== null)).toHaveLength(1);

    expect((await ask("DELETE", "/queues/mail/pause")).body).toMatchObject({ pause: null });
    await vi.waitFor(async () => expect(await isPaused()).toBe(false), { timeout: 5_000 });
  });

  test("say what waits in them, as the ledger knows it", async () => {
    const promise = (delayMs: number) =>
      api.context.transact({ actorId: null, traceId: null }, (tx) =>
        enqueue(tx, renderDocument, { documentId: randomUUID() }, { delayMs }),
      );
    const [id] = [await promise(0), await promise(3_600_000)];
    await api.db.query("UPDATE job SET state = 'running' WHERE id = $1", [id]);
    const { body } = await ask("GET", "/queues");
    expect(body.items.map(({ name }) => name)).toEqual(queueNames);
    expect(body.items.find(({ name }) => name === "documents")).toMatchObject({
      jobs: { open: 1, running: 1, waiting: 0 },
      pause: null,
    });
    expect(body.items.find(({ name }) => name === "mail")).toMatchObject({ jobs: { open: 0, running: 0, waiting: 0 } });
  });

  test("are not paused without a reason, and only those that exist", async () => {
    expect((await ask("PUT", "/queues/mail/pause", {})).status).toBe(422);
    expect((await ask("PUT", "/queues/nonsense/pause", { reason: "x" })).status).toBe(422);
  });
});
