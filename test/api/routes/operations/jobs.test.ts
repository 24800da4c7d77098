import { describe, expect, test } from "vitest";
import { Job } from "../../../../src/engine/job-entity.ts";
import { call, sendCategory, useApi, userIds } from "../../../support/api.ts";
import { redPng } from "../../../support/images.ts";

describe("GET /jobs/{id}", () => {
  const api = useApi({ relay: false });
  const get = (id: string, token: string) =>
    call(`${api.url}/jobs/${id}`, { headers: { authorization: `Bearer ${token}` } });

  test("says what a waiting job is about, and that asking again in a second is soon enough", async () => {
    const { body: category } = await sendCategory(api, { name: "Ждёт", image: await redPng() });
    const { body, headers } = await get(category.image_job?.id ?? "", api.tokens.employee);
    expect(body).toMatchObject({
      id: category.image_job?.id,
      kind: "process-image",
      queue: "images",
      status: "open",
      entity: { type: "category", id: category.id },
      failures: 0,
      max_failures: 5,
      error: null,
      started_at: null,
      finished_at: null,
    });
    expect(headers.get("retry-after")).toBe("1");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("shows a customer only what that customer caused", async () => {
    const { body: category } = await sendCategory(api, { name: "Чужое", image: await redPng() });
    const id = category.image_job?.id ?? "";
    const foreign = await get(id, api.tokens.user);
    const missing = await get(userIds.admin, api.tokens.user);
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect(foreign.body.message.replace(id, "")).toBe(missing.body.message.replace(userIds.admin, ""));
    await api.db.manager.update(Job, { id }, { actorId: userIds.user });
    expect((await get(id, api.tokens.user)).status).toBe(200);
  });

  test("answers the moment the job is over when the caller would rather wait, or when the time is up", async () => {
    const { body: category } = await sendCategory(api, { name: "Скоро", image: await redPng() });
    const id = category.image_job?.id ?? "";
    const waiting = (seconds: number) =>
      call(`${api.url}/jobs/${id}`, {
        headers: { authorization: `Bearer ${api.tokens.employee}`, prefer: `wait=${seconds}` },
      });
    expect((await waiting(0)).body.status).toBe("open");
    const answer = waiting(30);
    await api.db.manager.update(Job, { id }, { state: "failed", finishedAt: new Date() });
    expect((await answer).body.status).toBe("failed");
    expect((await answer).headers.get("preference-applied")).toBe("wait=30");
  });

  test("remembers who asked for it and under which request", async () => {
    const headers = { "x-request-id": "my-request-1" };
    const { body } = await sendCategory(api, { name: "След", image: await redPng(), headers });
    const job = await api.db.manager.findOneByOrFail(Job, { id: body.image_job?.id ?? "" });
    expect(job).toMatchObject({ actorId: userIds.employee, traceId: "my-request-1" });
  });
});
