import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { sendCategory, useApi } from "../support/api.ts";
import { inside, useApiProcesses } from "../support/api-process.ts";
import { phonePhoto } from "../support/images.ts";
import type { InsideQuestion } from "../support/inside.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi();
const apis = useApiProcesses(api);
const workers = useWorkerProcesses(api);
const fail = (child: ChildProcess, how: InsideQuestion) => child.send(how);
/** Each test starts a process of its own, which takes its time on a busy machine. */
const patience = 120_000;

/** A request whose body is not whole yet; the process has begun with it. */
async function begin(url: string) {
  const headers = { "content-type": "application/json", "content-length": 20, expect: "100-continue" };
  const asked = request(`${url}/offers/by-ids`, { method: "POST", headers });
  const status = new Promise<number>((resolve, reject) => {
    asked.once("response", (answer) => resolve(Number(answer.resume().statusCode))).once("error", reject);
  });
  status.catch(() => undefined);
  asked.flushHeaders();
  await once(asked, "continue");
  return { end: () => asked.end("[]".padStart(20)), status };
}

describe("an API process that meets an error which nothing caught", () => {
  test("finishes what runs, takes nothing new, and exits with 1", { timeout: patience }, async () => {
    const started = await apis.start({ DRAIN_TIMEOUT_MS: "20000" }, inside);
    const ended = once(started.child, "exit");
    const running = await begin(started.url);
    fail(started.child, "throw");
    await vi.waitFor(() => expect(fetch(started.url)).rejects.toThrow(), 10_000);
    running.end();
    expect(await running.status).toBe(200);
    expect(await ended).toEqual([1, null]);
    expect(started.output).toContain("a mistake of ours");
  });

  test("waits no longer than it may for what never ends", { timeout: patience }, async () => {
    const started = await apis.start({ DRAIN_TIMEOUT_MS: "100" }, inside);
    const ended = once(started.child, "exit");
    const running = await begin(started.url);
    fail(started.child, "reject");
    await expect(running.status).rejects.toThrow();
    expect(await ended).toEqual([1, null]);
  });
});

describe("a worker process that meets an error which nothing caught", () => {
  test("finishes its job and exits with 1", { timeout: patience }, async () => {
    const child = await workers.start({}, inside);
    const ended = once(child, "exit");
    const { body } = await sendCategory(api, { name: "Тормоза", image: await phonePhoto(), fileName: "a.jpg" });
    const stateOf = async () =>
      (await api.db.query("SELECT state FROM job WHERE id = $1", [body.image_job?.id]))[0].state;
    await vi.waitFor(async () => expect(await stateOf()).toBe("running"), { timeout: 10_000, interval: 5 });
    fail(child, "reject");
    expect(await ended).toEqual([1, null]);
    expect(await stateOf()).toBe("succeeded");
  });
});
