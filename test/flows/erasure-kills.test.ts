import { beforeAll, expect, test, vi } from "vitest";
import { auditLog } from "../../src/db/dao/audit/audit-log.ts";
import { erasures } from "../../src/db/dao/privacy/erasures.ts";
import { requestErasure, requestGuestErasure } from "../../src/services/privacy/erasures.ts";
import { objectKeys, useApi } from "../support/api.ts";
import { addOffer } from "../support/catalogue.ts";
import { endBlocked, untilBlocked } from "../support/locks.ts";
import { addPerson, type Person, rowsWith } from "../support/person.ts";
import { addUser } from "../support/users.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi();
const workers = useWorkerProcesses(api);
let offerId: string;
let staffId: string;
beforeAll(async () => {
  offerId = (await addOffer(api.db)).id;
  staffId = (await addUser(api.db, { role: "ADMIN" })).id;
});

const add = (isGuest: boolean) => addPerson(api.db, api.context.store, { offerId, staffId, isGuest });
const start = () => workers.start({ WORKER_QUEUES: "maintenance" });

async function request({ userId, email }: Person): Promise<{ jobId: string; erasureId: string }> {
  const wanted = { reason: "Requested in writing", requestedBy: staffId, endpoint: "https://api.test/erasures" };
  const jobId = await api.context.transact({ actorId: staffId, traceId: null }, (tx) =>
    userId ? requestErasure(tx, userId, wanted) : requestGuestErasure(tx, email, wanted),
  );
  const [{ payload }] = await api.db.query("SELECT payload FROM job WHERE id = $1", [jobId]);
  return { jobId, erasureId: payload.erasureId };
}

type Stop = (person: Person) => [sql: string, values: string[]];

/** In the order in which an erasure comes to them: a lock on these rows stops it before its next commit. */
const stops: Record<string, Stop> = {
  "the person's own rows": ({ orderId }) => ["SELECT 1 FROM orders WHERE id = $1 FOR UPDATE", [orderId]],
  "the documents, whose objects are deleted": ({ orderId }) => [
    "SELECT 1 FROM documents WHERE parameters ->> 'id' = $1 FOR UPDATE",
    [orderId],
  ],
  "the mails": ({ email }) => ["SELECT 1 FROM mails WHERE recipient = $1 FOR UPDATE", [email]],
  "the audit log": ({ mark }) => [
    "SELECT 1 FROM audit_log WHERE strpos(endpoint || coalesce(payload::text, ''), $1) > 0 FOR UPDATE",
    [mark],
  ],
  "the kept answers": ({ mark }) => ["SELECT 1 FROM idempotency_key WHERE strpos(body, $1) > 0 FOR UPDATE", [mark]],
  "the jobs": ({ mark }) => ["SELECT 1 FROM job WHERE error_key = $1 FOR UPDATE", [mark]],
  "the marks, in the last step": () => ["SELECT 1 FROM erasure_marks FOR UPDATE", []],
};

/** Kills the worker of these people's erasures while each waits for such rows; the transactions die with it. */
async function killAt(stop: Stop, people: readonly Person[]) {
  const holder = api.db.createQueryRunner();
  await holder.connect();
  await holder.query("BEGIN");
  for (const person of people) expect(await holder.query(...stop(person))).not.toEqual([]);
  await workers.endLeases("maintenance");
  const worker = await start();
  await untilBlocked(api.db, people.length);
  await workers.stop(worker, "SIGKILL");
  await endBlocked(api.db);
  await holder.query("ROLLBACK");
  await holder.release();
}

async function untilErased(jobId: string) {
  const find = () => api.db.query("SELECT state, failures, crashes FROM job WHERE id = $1", [jobId]);
  await vi.waitFor(async () => expect((await find())[0].state).toBe("succeeded"), { interval: 100 });
  const [job] = await find();
  return job;
}

const countsOf = async (erasureId: string) => (await erasures.find(api.db.manager, erasureId))?.counts;

/** How often the audit log says that an erasure is done. */
async function endsOf(erasureId: string): Promise<number> {
  const [{ ends }] = await api.db.query(
    "SELECT count(*)::int AS ends FROM audit_log WHERE payload ->> 'erasure' = $1 AND payload ? 'erased'",
    [erasureId],
  );
  return ends;
}

async function nothingIsLeftOf({ mark, email, phone, objectKeys: own }: Person) {
  expect(await rowsWith(api.db, [mark, email, phone])).toEqual([]);
  expect((await objectKeys(api.s3)).filter((key) => key.includes(mark) || own.includes(key))).toEqual([]);
}

test("the erasures of a user and of a guest end whole and once, although their worker is killed at each step", {
  timeout: 300_000,
}, async () => {
  const people = [await add(false), await add(true)];
  const requests = await Promise.all(people.map(request));
  for (const [where, stop] of Object.entries(stops)) {
    await killAt(stop, people);
    for (const { erasureId } of requests) expect([where, await endsOf(erasureId)]).toEqual([where, 0]);
  }
  await workers.endLeases("maintenance");
  const last = await start();
  const crashes = Object.keys(stops).length;
  for (const { jobId } of requests) {
    expect(await untilErased(jobId)).toEqual({ state: "succeeded", failures: 0, crashes });
  }

  for (const [index, isGuest] of [false, true].entries()) {
    const undisturbed = await add(isGuest);
    const { jobId, erasureId } = await request(undisturbed);
    await untilErased(jobId);
    const killed = requests[index]?.erasureId ?? "";
    expect([isGuest, await countsOf(killed)]).toEqual([isGuest, await countsOf(erasureId)]);
    expect(await endsOf(killed)).toBe(1);
    await nothingIsLeftOf(undisturbed);
  }
  for (const person of people) await nothingIsLeftOf(person);
  expect(await api.db.query("SELECT * FROM erasure_marks")).toEqual([]);
  expect(await auditLog.firstBroken(api.db.manager)).toBeUndefined();
  expect(await workers.stop(last, "SIGTERM")).toEqual([0, null]);
});
