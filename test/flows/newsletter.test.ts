import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { cancelJob } from "../../src/services/operations/job-control.ts";
import { apiKey, call, useApi } from "../support/api.ts";
import { haveTodaysList } from "../support/mail-engine.ts";
import { startHttpProbe } from "../support/mail-probe.ts";
import { anAdmin } from "../support/operators.ts";
import { type ScriptedSmtp, startScriptedSmtp } from "../support/scripted-smtp.ts";
import { useWorkerProcesses } from "../support/worker-process.ts";

const readers = 800;
const api = useApi();
const workers = useWorkerProcesses(api);
let smtp: ScriptedSmtp;
let probe: Awaited<ReturnType<typeof startHttpProbe>>;

beforeAll(async () => {
  smtp = await startScriptedSmtp();
  probe = await startHttpProbe((messageId) => smtp.taken.includes(messageId));
  await haveTodaysList(api.db);
  await api.db.query(
    `INSERT INTO users (id, email, first_name, last_name, mailing, customer_type, language)
     SELECT gen_random_uuid(), 'reader' || n || '@test.example', 'A', 'B', true,
            CASE WHEN n % 4 = 0 THEN 'USER_RETAIL' ELSE 'USER_WHOLESALE' END, CASE WHEN n % 2 = 0 THEN 'ru' ELSE 'en' END
     FROM generate_series(1, $1::int) n`,
    [readers],
  );
  await api.db.query(
    `INSERT INTO users (id, email, first_name, last_name, mailing, is_active, customer_type) VALUES
     (gen_random_uuid(), 'silent@test.example', 'A', 'B', false, true, 'USER_WHOLESALE'),
     (gen_random_uuid(), 'gone@test.example', 'A', 'B', true, false, 'USER_WHOLESALE'),
     (gen_random_uuid(), 'bounced@test.example', 'A', 'B', true, true, 'USER_WHOLESALE')`,
  );
  await api.db.query("INSERT INTO mail_suppressions (address, reason) VALUES ('bounced@test.example', 'bounce')");
});
afterAll(async () => {
  probe.close();
  await smtp.close();
});

const startWorker = () =>
  workers.start({
    WORKER_QUEUES: "mail,maintenance",
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(smtp.port),
    SMTP_SECURITY: "none",
    MAIL_GRACE_MS: "4000",
    MAIL_PROBE_URL: probe.url,
  });

const order = (body: object) =>
  call(`${api.url}/mail/newsletters`, {
    method: "POST",
    headers: { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const jobOf = async (id: string) => (await api.db.query("SELECT * FROM job WHERE id = $1", [id]))[0];

describe("POST /mail/newsletters", () => {
  test("mails each reader once, however often the workers are killed", { timeout: 240_000 }, async () => {
    const { status, body } = await order({ customer_types: ["USER_WHOLESALE"] });
    expect(status).toBe(202);
    const wanted = (readers * 3) / 4;
    for (const share of [0, 0.3, 0.6]) {
      const worker = await startWorker();
      await vi.waitFor(() => expect(smtp.taken.length).toBeGreaterThan(share * wanted), 60_000);
      await workers.stop(worker, "SIGKILL");
      await workers.endLeases("mail", "maintenance");
    }
    const last = await startWorker();
    await vi.waitFor(async () => expect((await jobOf(body.id)).state).toBe("succeeded"), {
      timeout: 150_000,
      interval: 500,
    });
    await workers.stop(last, "SIGTERM");

    expect(smtp.taken).toHaveLength(wanted);
    expect(new Set(smtp.taken).size).toBe(wanted);
    const rows: { recipient: string; language: string; state: string }[] = await api.db.query(
      "SELECT lower(recipient) AS recipient, language, mails.state FROM mails JOIN job ON job.id = job_id WHERE parent_id = $1",
      [body.id],
    );
    expect(rows.every(({ state }) => state === "sent")).toBe(true);
    expect(new Set(rows.map(({ recipient }) => recipient)).size).toBe(wanted);
    expect(rows.find(({ recipient }) => recipient === "reader2@test.example")?.language).toBe("ru");
    expect(rows.find(({ recipient }) => recipient === "reader3@test.example")?.language).toBe("en");
    expect(rows.map(({ recipient }) => recipient)).not.toContain("bounced@test.example");
    expect((await jobOf(body.id)).result).toEqual({ recipients: wanted, children: { succeeded: wanted } });
  });

  test("stops when it is cancelled", { timeout: 60_000 }, async () => {
    smtp.play();
    const { body } = await order({});
    const worker = await startWorker();
    await vi.waitFor(() => expect(smtp.taken.length).toBeGreaterThan(5), 30_000);
    const origin = { actorId: null, traceId: null };
    await api.context.transact(origin, (tx) => cancelJob(tx, body.id, { ...anAdmin, reason: "a test" }));
    const unfinished = "SELECT 1 FROM job WHERE (id = $1 OR parent_id = $1) AND finished_at IS NULL";
    await vi.waitFor(async () => expect(await api.db.query(unfinished, [body.id])).toEqual([]), 30_000);
    await workers.stop(worker, "SIGTERM");
    expect((await jobOf(body.id)).state).toBe("cancelled");
    expect(smtp.taken.length).toBeLessThan(readers);
    expect(new Set(smtp.taken).size).toBe(smtp.taken.length);
  });

  test("waits while it is paused, and goes on where it was", { timeout: 60_000 }, async () => {
    const before = smtp.taken.length;
    const steer = (id: string, what: string, token = api.tokens.admin) =>
      call(`${api.url}/mail/newsletters/${id}/${what}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
      });
    const { body } = await order({ customer_types: ["USER_RETAIL"] });
    expect((await steer(body.id, "pause", api.tokens.employee)).status).toBe(403);
    expect((await steer(body.id, "pause")).status).toBe(204);
    expect((await steer(body.id, "pause")).status).toBe(204);
    const worker = await startWorker();
    await vi.waitFor(async () => expect((await jobOf(body.id)).state).toBe("waiting"), 30_000);
    // Those of the test before leave it, and none of this newsletter comes.
    await vi.waitFor(async () => expect(await api.queues.byName.mail.count()).toBe(0), 10_000);
    expect(smtp.taken.length).toBe(before);
    expect((await steer(body.id, "resume")).status).toBe(204);
    await vi.waitFor(async () => expect((await jobOf(body.id)).state).toBe("succeeded"), 30_000);
    await workers.stop(worker, "SIGTERM");
    const taken = smtp.taken.slice(before);
    expect(taken).toHaveLength(readers / 4);
    expect(new Set(taken).size).toBe(readers / 4);
    expect((await steer(body.id, "pause")).status).toBe(409);
    expect((await steer(randomUUID(), "pause")).status).toBe(404);
  });

  test("is for admins, and for customers of types that there are", async () => {
    expect((await order({ customer_types: [] })).status).toBe(422);
    expect((await order({ customer_types: ["EVERYBODY"] })).status).toBe(422);
    const byKey = { method: "POST", headers: { "api-key": apiKey } };
    expect((await call(`${api.url}/mail/newsletters`, byKey)).status).toBe(401);
  });
});
