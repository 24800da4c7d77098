import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { mailStates } from "../../src/db/entities/mail/mail.ts";
import { requestMails } from "../../src/services/mail/mails.ts";
import { useApi } from "../support/api.ts";
import { endBlocked, untilBlocked } from "../support/locks.ts";
import { haveTodaysList } from "../support/mail-engine.ts";
import { startHttpProbe } from "../support/mail-probe.ts";
import { type ScriptedSmtp, startScriptedSmtp } from "../support/scripted-smtp.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const api = useApi();
const workers = useWorkerProcesses(api);
let smtp: ScriptedSmtp;
let probe: Awaited<ReturnType<typeof startHttpProbe>>;

beforeAll(async () => {
  smtp = await startScriptedSmtp();
  probe = await startHttpProbe((messageId) => smtp.taken.includes(messageId));
  await haveTodaysList(api.db);
});
afterAll(async () => {
  probe.close();
  await smtp.close();
});

const start = (env: Record<string, string>) =>
  workers.start({
    WORKER_QUEUES: "mail",
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(smtp.port),
    SMTP_SECURITY: "none",
    MAIL_GRACE_MS: "4000",
    ...env,
  });

const states = async (ids: string[]): Promise<(typeof mailStates)[number][]> =>
  (await api.db.query("SELECT state FROM mails WHERE id = ANY($1) ORDER BY recipient", [ids])).map(
    ({ state }: { state: string }) => state,
  );

/**
 * Five mails on the wire, each at another step of its dialogue, the last with the server's answer in and not written
 * down; then the worker is killed, the last write with it, and another one takes over.
 */
async function killAtEachStep(env: Record<string, string>) {
  const worker = await start(env);
  smtp.play(
    { silentAt: "MAIL" },
    { silentAt: "RCPT" },
    { silentAt: "DATA" },
    { silentAt: "message" },
    { heldAt: "message" },
  );
  const ids: string[] = [];
  const runner = api.db.createQueryRunner();
  await runner.connect();
  for (let step = 0; step < 5; step++) {
    const wanted = { event: randomUUID(), kind: "price-list", recipient: `step${step}@test.example` } as const;
    const [jobId] = await api.context.transact({ actorId: null, traceId: null }, (tx) => requestMails(tx, [wanted]));
    const [mail] = await api.db.query("SELECT id FROM mails WHERE job_id = $1", [jobId]);
    ids.push(mail.id);
    await vi.waitFor(async () => expect((await states(ids)).at(-1)).toBe("sending"), 10_000);
  }
  await vi.waitFor(() => expect(smtp.taken).toHaveLength(2), 10_000);
  await runner.query("BEGIN");
  await runner.query("SELECT 1 FROM mails WHERE id = $1 FOR UPDATE", [ids[4]]);
  smtp.release();
  await untilBlocked(api.db, 1);
  await workers.stop(worker, "SIGKILL");
  await endBlocked(api.db);
  await runner.query("ROLLBACK");
  await runner.release();
  expect(await states(ids)).toEqual(Array(5).fill("sending"));
  const next = await start(env);
  await workers.endLeases("mail");
  const unfinished = "SELECT 1 FROM job JOIN mails ON job_id = job.id WHERE mails.id = ANY($1) AND finished_at IS NULL";
  await vi.waitFor(async () => expect(await api.db.query(unfinished, [ids])).toEqual([]), 60_000);
  await workers.stop(next, "SIGTERM");
  return { ids, states: await states(ids) };
}

test("a worker that is killed at any step sends each mail once, where a probe can tell", {
  timeout: 120_000,
}, async () => {
  const ended = await killAtEachStep({ MAIL_PROBE_URL: probe.url });
  expect(ended.states).toEqual(Array(5).fill("sent"));
  expect(smtp.taken.toSorted()).toEqual(ended.ids.map((id) => `${id}@example.com`).sort());
});

test("without a probe it leaves to a person what was on the wire, and sends nothing twice", {
  timeout: 120_000,
}, async () => {
  const ended = await killAtEachStep({});
  expect(ended.states).toEqual(Array(5).fill("unknown"));
  expect(smtp.taken).toHaveLength(2);
});
