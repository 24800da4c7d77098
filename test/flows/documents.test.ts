import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { documents } from "../../src/db/dao/documents/documents.ts";
import { Job } from "../../src/engine/job-entity.ts";
import { requestDocument } from "../../src/services/documents/documents.ts";
import { cancelJob } from "../../src/services/operations/job-control.ts";
import { objectKeys, useApi, userIds } from "../support/api.ts";
import { addManyOffers } from "../support/many-offers.ts";
import { readXlsx } from "../support/office.ts";
import { anAdmin } from "../support/operators.ts";
import { startPostgresProxy } from "../support/postgres-proxy.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi();
const workers = useWorkerProcesses(api);
const offers = 12_000;
/** Some batches of a list, and more than anything else that is asked in a worker. */
const someBatches = 1_000_000;
const origin = { actorId: null, traceId: null };
const folder = mkdtempSync(join(tmpdir(), "tcf-spool-"));
let proxy: Awaited<ReturnType<typeof startPostgresProxy>>;

beforeAll(async () => {
  await addManyOffers(api.db, offers);
  const { options } = api.db;
  proxy = await startPostgresProxy(String("url" in options && options.url));
}, 60_000);
afterEach(() => proxy.letGo());
afterAll(async () => {
  await proxy.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isSpool = (path: string) => path.startsWith(join(folder, "document-"));
/** Files of documents that a process has open; they have no names any more. Needs Linux. */
const openFiles = ({ pid }: ChildProcess) =>
  readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkOrNothing(`/proc/${pid}/fd/${fd}`))
    .filter(isSpool);
const leftovers = () =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .filter(isSpool);
const start = () => workers.start({ WORKER_QUEUES: "documents", DATABASE_URL: proxy.url, TMPDIR: folder });
const list = { kind: "price-list", format: "xlsx", parameters: { type: "retail", day: "2026-11-22" } } as const;
const jobOf = (id: string | null) => api.db.manager.findOneByOrFail(Job, { id: String(id) });

/** One that is closed meanwhile leads nowhere. */
function readlinkOrNothing(path: string) {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** A list that is being made, whose worker waits for the next batch of its rows. */
async function halfMade() {
  const held = proxy.heldAfter(someBatches);
  const { shop, transact } = api.context;
  const document = await transact(origin, (tx) => requestDocument(tx, { ...list, requestedBy: userIds.admin }, shop));
  const progress = async () => (await jobOf(document.jobId)).progress;
  await vi.waitFor(async () => {
    expect(held.size).toBe(1);
    expect((await progress())?.done).toBeGreaterThan(0);
  }, 30_000);
  const { done, total } = (await progress()) ?? { done: 0, total: 0 };
  expect([total, done < offers]).toEqual([offers, true]);
  expect(await objectKeys(api.s3, "documents/")).toEqual([]);
  return document;
}

test("a list that is cancelled in the middle leaves nothing behind", { timeout: 60_000 }, async () => {
  const worker = await start();
  const { id, jobId } = await halfMade();
  await api.context.transact(origin, (tx) => cancelJob(tx, String(jobId), { ...anAdmin, reason: "test" }));
  await vi.waitFor(async () => expect((await jobOf(jobId)).state).toBe("cancelled"), 20_000);
  expect(openFiles(worker)).toHaveLength(1);
  // What it waits for comes, and no caller wants it any more.
  proxy.letGo();
  await vi.waitFor(() => expect(openFiles(worker)).toEqual([]), 20_000);
  await workers.stop(worker, "SIGTERM");
  expect(await objectKeys(api.s3, "documents/")).toEqual([]);
  expect(leftovers()).toEqual([]);
  expect(await documents.findById(api.db.manager, id)).toMatchObject({ readyAt: null, objectKey: null });
});

test("a list whose worker is killed in the middle is made once, and whole", { timeout: 120_000 }, async () => {
  const first = await start();
  const { id, jobId } = await halfMade();
  await workers.stop(first, "SIGKILL");
  expect((await jobOf(jobId)).state).toBe("running");
  expect(leftovers()).toEqual([]);
  proxy.letGo();
  const second = await start();
  await vi.waitFor(async () => expect((await jobOf(jobId)).state).toBe("succeeded"), 60_000);
  await workers.stop(second, "SIGTERM");

  expect(await jobOf(jobId)).toMatchObject({ epoch: 2, crashes: 1, progress: { done: offers, total: offers } });
  const { objectKey, sha256 } = (await documents.findById(api.db.manager, id)) ?? {};
  expect(await objectKeys(api.s3, "documents/")).toEqual([objectKey]);
  const file = await api.context.store.get(String(objectKey));
  expect(createHash("sha256").update(file).digest("hex")).toBe(sha256);
  const rows = readXlsx(file);
  expect(rows).toHaveLength(1 + offers);
  expect(new Set(rows.map((row) => row[5])).size).toBe(1 + offers);
});
