import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { enqueue } from "../../../src/engine/outbox.ts";
import { deliverWebhook } from "../../../src/jobs/deliver-webhook.ts";
import { type QueueName, queueNames } from "../../../src/jobs/queues.ts";
import { apiKey, mailLinkSecret, paymentSecret, useApi, userIds, webhookSecret } from "../../support/api.ts";
import { useApiProcesses } from "../../support/api-process.ts";
import { addBusiness, known } from "../../support/business.ts";
import { keptInRedis } from "../../support/kept-in-redis.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";
import { useReceiver } from "../../support/receiver.ts";
import { queuePrefix } from "../../support/redis.ts";
import { parametersOf, sampleBody, sampleOf, samplePath } from "../../support/sample-request.ts";
import { startScriptedSmtp } from "../../support/scripted-smtp.ts";
import { useWorkerProcesses } from "../../support/worker-process.ts";

/** Everything personal that this test sends or stores has this in it, or these digits. */
const marks = /zqmark|zqother|9787771234/i;
const recipient = "zqmark.post@marked.example";

/** What the usual requests say, and what they say here. */
const personal = [
  ["buyer@test.example", recipient],
  ["user@test.example", recipient],
  ["+79780000000", "+79787771234"],
  ["Иван", "Zqmarkname"],
  ["Петров", "Zqmarksurname"],
  ["Колодка", "zqmarksearch"],
  ["ACME", "zqmarkbrand"],
  ["AC-100", "zqmark-100"],
  ["Тест", "zqmark text"],
  ["photo.png", "zqmark photo.png"],
] as const;
const marked = (text: string) => personal.reduce((all, [usual, mark]) => all.replaceAll(usual, mark), text);
const unlimited = {
  RATE_LIMIT_ANONYMOUS: "0",
  RATE_LIMIT_USER: "0",
  RATE_LIMIT_API_KEY: "0",
  RATE_LIMIT_ORDERS: "0",
  UPLOADS_PER_DAY: "0",
  RATE_LIMIT_EXEMPT_CIDRS: "127.0.0.0/8",
};

const { operations, follow } = readDocument(routes);
const api = useApi({ relay: false });
const apiProcesses = useApiProcesses(api);
const workerProcesses = useWorkerProcesses(api);
const receiver = useReceiver();
const refusals: { path: string; status: number; text: string }[] = [];
const spans: string[] = [];
let server: Awaited<ReturnType<typeof apiProcesses.start>>;
let workers: Awaited<ReturnType<typeof workerProcesses.start>>[];
let smtp: Awaited<ReturnType<typeof startScriptedSmtp>>;
let sent = 0;

/** The queues whose jobs are tried without the bucket that refuses everything. */
const sending: QueueName[] = ["mail", "webhooks"];
/** A bucket that refuses everything, and says what it was asked for. */
const brokenBucket = createServer((req, res) => {
  const key = decodeURIComponent(String(req.url).split("?")[0] ?? "");
  res.writeHead(403, { "content-type": "application/xml" });
  res.end(`<Error><Code>AccessDenied</Code><Message>zqmark may not read ${key}</Message><Key>${key}</Key></Error>`);
});
const collector = createServer(async (req, res) => {
  for await (const chunk of req) spans.push(String(chunk));
  res.end("{}");
});
const listening = async (one: typeof collector) => {
  one.listen(0, "127.0.0.1");
  await once(one, "listening");
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  smtp = await startScriptedSmtp();
  smtp.play({ replies: { RCPT: `550 5.1.1 <${recipient}> no zqmark 'Zqmarkname' +79787771234 here` }, times: 10_000 });
  receiver.answer = (res, { body }) => res.writeHead(500, { "x-told": "zqmark" }).end(`zqmark ${body}`);
  await addBusiness(api.db);
  await plant();
  const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: await listening(collector), LOG_LEVEL: "debug" };
  server = await apiProcesses.start({
    ...traced,
    ...unlimited,
    API_KEY: apiKey,
    BETTER_AUTH_WEBHOOK_SECRET: webhookSecret,
    MAIL_LINK_SECRET: mailLinkSecret,
    PAYMENT_PROVIDER: "test",
    PAYMENT_WEBHOOK_SECRET: paymentSecret,
    MAIL_WEBHOOK_SECRET: paymentSecret,
    TRUST_PROXY: "1",
  });
  await everyRoute();
  await elsewhere();
  // A request that would have resumed a queue may have been too slow: then its jobs would never run.
  await api.db.query("DELETE FROM queue_pause; DELETE FROM job_group_pause");
  await plantWebhook();
  const mail = { SMTP_HOST: "127.0.0.1", SMTP_PORT: String(smtp.port), SMTP_SECURITY: "none", PUBLIC_URL: server.url };
  const common = { ...traced, ...mail, MAIL_LINK_SECRET: mailLinkSecret, WEBHOOK_ALLOW_PRIVATE: "true" };
  const broken = { ...common, S3_ENDPOINT_URL: await listening(brokenBucket) };
  workers = await Promise.all([
    workerProcesses.start({ ...common, WORKER_QUEUES: sending.join() }),
    workerProcesses.start({ ...broken, WORKER_QUEUES: queueNames.filter((queue) => !sending.includes(queue)).join() }),
  ]);
  await untilAllWereTried();
}, 300_000);
afterAll(async () => {
  await smtp.close();
  for (const one of [brokenBucket, collector]) {
    one.closeAllConnections();
    one.close();
  }
});

/** Another user's data, and a job of each kind that can fail with something personal in its error. */
async function plant() {
  const { db } = api;
  await db.query("UPDATE job SET state = 'succeeded', finished_at = now()");
  await db.query(
    `UPDATE users SET first_name = 'Zqothername', last_name = 'Zqother', phone = '+79787771234',
    email = 'zqother@marked.example' WHERE id = $1`,
    [userIds.employee],
  );
  await db.query(
    `UPDATE orders SET first_name = 'Zqother', last_name = 'Zqother', email = 'zqother@marked.example',
       note = 'zqother note', street = 'zqother street'`,
  );
  await db.query(`INSERT INTO mail_suppressions (address, reason, detail) VALUES
    ('zqmark.held@marked.example', 'bounce', '550 zqmark is unknown')`);
}

/** An event that its receiver refuses with the event's own words. */
async function plantWebhook() {
  const { db } = api;
  const [{ id: endpointId }] = await db.query(
    `INSERT INTO webhook_endpoints (url, event_types, secret) VALUES ($1, '{ping}', 'whsec_zqmark') RETURNING id`,
    [`${receiver.url}/zqmark?t=zqmark`],
  );
  const [{ id: eventId }] = await db.query(
    `INSERT INTO events (type, entity_type, entity_id, data, fanned_out_at)
     VALUES ('ping', 'order', $1, '{"email": "zqother@marked.example"}', now()) RETURNING id`,
    [known.order_id],
  );
  await api.context.transact({ actorId: null, traceId: null }, (tx) =>
    enqueue(tx, deliverWebhook, { eventId, endpointId }),
  );
}

const json = { "content-type": "application/json" };

/** Headers that people and proxies fill with whatever they have. */
const chatter = () => ({
  "user-agent": "zqmark/1.0 (Zqmarkname; +79787771234)",
  referer: "https://shop.example/zqmark?email=zqmark",
  cookie: "session=zqmark; tcf_board=zqmark",
  forwarded: "for=zqmark",
  "x-forwarded-host": "zqmark.example",
  "x-request-id": `zqmark@${sent}`,
  "accept-language": "zqmark",
  "idempotency-key": `zqmark-${sent}`,
  traceparent: "00-zqmark",
});

async function send(method: string, path: string, headers: object, body?: string | FormData | URLSearchParams) {
  sent++;
  const init = { method, headers: { ...chatter(), ...headers }, ...(body !== undefined && { body }) };
  const res = await fetch(server.url + path, {
    ...init,
    redirect: "manual",
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  const text = await res?.text().catch(() => "");
  if (res && res.status >= 400) refusals.push({ path, status: res.status, text: String(text) });
}

function insider({ "x-access": access }: Described) {
  if (access === "api-key") return { "api-key": apiKey };
  if (access === "webhook") return { "x-better-auth-secret": webhookSecret };
  return { authorization: `Bearer ${api.tokens.admin}` };
}

/** Every route in both profiles: as it should be called, by a stranger, and wrongly in each place. */
async function everyRoute() {
  const last = (name: string) => Number(name.startsWith("DELETE"));
  const ordered = [...operations].sort((a, b) => last(a.name) - last(b.name));
  for (const profile of ["", "/warehouse"]) {
    const queue = ordered.values();
    const work = async () => {
      for (const operation of queue) await everyWay(operation, profile);
    };
    await Promise.all(Array.from({ length: 6 }, work));
  }
}

async function everyWay(operation: Described, profile: string) {
  const { method } = operation;
  const path = profile + marked(decodeURIComponent(samplePath(operation, follow)));
  const names = parametersOf(operation, "query");
  const usual = new URLSearchParams(
    names.map(({ name, schema }): [string, string] => [name, marked(String(sampleOf(schema, follow, name)))]),
  );
  const wrong = new URLSearchParams(
    Object.fromEntries([...names.map(({ name }) => name), "token", "u"].map((name) => [name, "zqmark"])),
  );
  const nowhere = profile + operation.path.replaceAll(/\{\w+\}/g, encodeURIComponent(`zqmark ${recipient}`));
  const quick = { prefer: "respond-async, wait=0" };
  const { body, headers } = await markedBody(operation);
  const all = { ...insider(operation), ...quick };

  await send(method, encodeURI(`${path}?${usual}`), { ...all, ...headers }, body);
  await send(method, encodeURI(path), { ...quick, ...headers }, body);
  await send(
    method,
    encodeURI(path),
    { ...quick, authorization: "Bearer zqmark", "api-key": "zqmark", ...headers },
    body,
  );
  await send(method, encodeURI(`${path}?${wrong}`), { ...all, "if-match": '"zqmark"', ...headers }, body);
  await send(method, `${nowhere}?${wrong}`, { ...all, ...headers }, body);
  if (method === "GET" || method === "DELETE") return;
  const place = encodeURI(path);
  await send(method, place, { ...all, ...json }, `{"email": "${recipient}", "note": "zqmark`);
  await send(method, place, { ...all, ...json }, wrongEverywhere(body));
  await send(method, place, { ...all, "content-type": "text/zqmark" }, "zqmark");
}

async function markedBody(operation: Described) {
  const { body, headers = {} } = await sampleBody(operation, follow);
  if (typeof body === "string") return { headers, body: isPublic(operation) ? body : marked(body) };
  if (body === undefined) return { headers, body };
  const form = new FormData();
  for (const [key, value] of body) {
    if (typeof value === "string") form.set(key, isPublic(operation) ? value : marked(value));
    else form.set(key, value, "zqmark Zqmarkname.png");
  }
  return { headers, body: form };
}

/**
 * The catalogue is for all to see, what a replay is about is chosen from GET /jobs/failures, and an erasure would take the
 * orders that the marks are looked for in.
 */
function isPublic({ path }: Described) {
  return (
    ["/jobs/replays", "/erasures"].includes(path) || /^\/(categories|sub-categories|products|offers)(\/|$)/.test(path)
  );
}

/** The same keys with a text in each. */
function wrongEverywhere(body: unknown) {
  const keys = typeof body === "string" ? Object.keys(JSON.parse(body)) : [];
  return JSON.stringify(Object.fromEntries([...keys, "zqmark"].map((key) => [key, `zqmark ${recipient}`])));
}

/** What is no route: the board, the reference, probes, unknown paths, other methods, a database that fails. */
async function elsewhere() {
  const admin = { authorization: `Bearer ${api.tokens.admin}` };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  for (const path of [
    "/zqmark/zqmark@marked.example?q=zqmark",
    "/docs/zqmark?zqmark",
    "/admin/queues/zqmark?zqmark",
    "/admin/queues/api/queues?activeQueue=zqmark&search=zqmark",
    "/admin/queues/queue/mail?zqmark",
    `/admin/queues/ledger/${known.job_id}?zqmark`,
    "/admin/queues/ledger/zqmark",
    "/admin/queues/ledger?q=zqmark",
    "/-/health-checks/zqmark",
    "/metrics?zqmark",
    "/%zqmark",
    "//zqmark",
  ]) {
    for (const headers of [{}, admin, { authorization: "Bearer zqmark" }]) {
      await send("GET", path, { ...headers, accept: "text/html" });
      await send("POST", path, { ...headers, ...form, accept: "*/*" }, "token=zqmark&reason=zqmark&csrf=zqmark");
      await send("OPTIONS", path, { ...headers, origin: "https://zqmark.example" });
    }
  }
  await send("POST", "/admin/queues/login", form, "token=zqmark");
  // An unforeseen error is logged with its stack, and the database says why.
  const { db } = api;
  const failing = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'no % here', NEW.email USING DETAIL = NEW.email, HINT = NEW.first_name; END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION refuse()`;
  await db.query(failing);
  const order = operations.find(({ name }) => name === "POST /orders");
  if (!order) throw new Error("There is no POST /orders");
  await everyWay(order, "");
  await db.query("DROP FUNCTION refuse CASCADE");
  await db.query("ALTER TABLE mail_suppressions ADD CONSTRAINT refuse CHECK (address NOT LIKE 'zqmark%') NOT VALID");
  const body = JSON.stringify({ address: "zqmark.new@marked.example", detail: "zqmark" });
  await send("POST", "/mail/suppressions", { ...admin, ...json }, body);
}

/** Every promised job has run once at least, well or badly. */
async function untilAllWereTried() {
  await vi.waitFor(
    async () => {
      const open = await api.db.query(
        `SELECT kind, state, failures FROM job WHERE finished_at IS NULL AND attempts = '[]' AND last_error IS NULL
           AND state <> 'waiting' AND run_at < now()`,
      );
      expect(open).toEqual([]);
    },
    { timeout: 120_000, interval: 500 },
  );
}

/** Lines with something personal in them, shortened to it. */
function found(lines: Iterable<string>) {
  const hits = [...lines].filter((line) => marks.test(line));
  return hits.slice(0, 10).map((line) => {
    const at = line.search(marks);
    return line.slice(Math.max(0, at - 300), at + 80);
  });
}

const logOf = ({ output }: { output: string }) => output.split("\n");

describe("personal data and tokens, sent everywhere and stored", () => {
  test("were really sent, taken, refused and worked on", async () => {
    expect(sent).toBeGreaterThan(operations.length * 10);
    const [kept] = await api.db.query(
      `SELECT (SELECT count(*)::int FROM orders WHERE email = $1) AS orders,
         (SELECT count(*)::int FROM mails WHERE recipient = $1 AND server_answer LIKE '%Zqmarkname%') AS refused`,
      [recipient],
    );
    expect(kept.orders).toBeGreaterThan(0);
    expect(kept.refused).toBeGreaterThan(0);
    const failed: { kind: string }[] = await api.db.query(
      "SELECT DISTINCT kind FROM job WHERE last_error IS NOT NULL ORDER BY kind",
    );
    const kinds = ["deliver-webhook", "process-image", "render-document", "send-mail"];
    expect(failed.map(({ kind }) => kind)).toEqual(expect.arrayContaining(kinds));
    expect(refusals.some(({ status }) => status === 500)).toBe(true);
  });

  test("are in no line of the API's log, in which every route is named", () => {
    const lines = logOf(server);
    expect(found(lines)).toEqual([]);
    const shown = new Set(lines.filter(Boolean).map((line) => (JSON.parse(line) as { route?: string }).route));
    expect(operations.map(({ path }) => path).filter((path) => !shown.has(path))).toEqual([]);
  });

  test("are in no line of the workers' log", () => {
    expect(workers.every(({ output }) => output.includes("worker started"))).toBe(true);
    expect(found(workers.flatMap(logOf))).toEqual([]);
  });

  test("are nowhere in Redis", async () => {
    const kept = await keptInRedis(api.redis, queuePrefix);
    expect(kept.some((entry) => entry.includes("failedReason"))).toBe(true);
    expect(found(kept)).toEqual([]);
  });

  test("are in no metric", async () => {
    const ports = [server, ...workers].map(({ output }) => /"ops":(\d+)/.exec(output)?.[1]);
    const pages = await Promise.all(
      ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    expect(pages.every((page) => page.includes("process_cpu_seconds_total"))).toBe(true);
    expect(found(pages.flatMap((page) => page.split("\n")))).toEqual([]);
  });

  test("are in no trace", async () => {
    await vi.waitFor(() => expect(spans.join("")).toContain("SMTP send"), { timeout: 20_000, interval: 200 });
    expect(found(spans)).toEqual([]);
  });

  test("are in no job of the ledger, neither in what it is about nor in its errors", async () => {
    const rows = await api.db.query(
      "SELECT kind, payload, dedupe_key, entity_id, group_key, last_error, error_key, attempts, progress, result FROM job",
    );
    expect(found(rows.map((row: object) => JSON.stringify(row)))).toEqual([]);
  });

  test("are told in a refusal only to those who have sent them", () => {
    const others = refusals.filter(({ text }) => /zqother/i.test(text));
    expect(others.map(({ path, text }) => `${path} ${text.slice(0, 200)}`)).toEqual([]);
    expect(refusals.filter(({ text, status }) => status >= 500 && marks.test(text))).toEqual([]);
  });
});

test("an id that a caller gives a request is no place for anything but letters and digits", async () => {
  const given = `plain-${randomUUID()}`;
  await send("GET", "/categories", { "x-request-id": given });
  await vi.waitFor(() => expect(server.output).toContain(given));
});
