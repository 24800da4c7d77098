import { connect } from "node:net";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { call, useApi } from "../../support/api.ts";
import { useApiProcesses } from "../../support/api-process.ts";
import { addBusiness, known } from "../../support/business.ts";
import { redPng } from "../../support/images.ts";
import { keptInRedis } from "../../support/kept-in-redis.ts";
import { queuePrefix } from "../../support/redis.ts";

const apiKey = "seeded-api-key-5be1a0f2";
const webhookSecret = "seeded-webhook-secret-77aa01";
const given = {
  password: "seeded-password-0c9d",
  wrongKey: "seeded-wrong-key-1f3e",
  note: "seeded-private-note-44dd",
};

const api = useApi({ relay: false });
const processes = useApiProcesses(api);
let server: Awaited<ReturnType<typeof processes.start>>;
let secrets: Record<string, string>;
const answers: string[] = [];

beforeAll(async () => {
  await addBusiness(api.db);
  server = await processes.start({ API_KEY: apiKey, BETTER_AUTH_WEBHOOK_SECRET: webhookSecret });
  const [, database] = /:([^:@]+)@/.exec(String((api.db.options as { url?: string }).url)) ?? [];
  const [, redisPassword] = /:([^:@]+)@/.exec(String(api.redis)) ?? [];
  secrets = {
    "the token of an employee": api.tokens.employee,
    "the signature of a token": api.tokens.admin.split(".")[2] ?? "",
    "the API key": apiKey,
    "the webhook's secret": webhookSecret,
    "the password of Postgres": database ?? "",
    "the password of Redis": redisPassword ?? "",
    "the secret key of S3": api.s3.secretKey,
    "a password that was sent": given.password,
    "a wrong key that was sent": given.wrongKey,
  };
  await misbehave();
  await logged(({ request }) => request === "the-last-one");
}, 60_000);

const lines = () =>
  server.output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
/** Waits for a line of the log. */
const logged = (isIt: (line: Record<string, unknown>) => boolean) =>
  vi.waitFor(() => expect(lines().some(isIt)).toBe(true), 5_000);

/** Everything with a secret in it that people and programs send, to where it belongs and to where it does not. */
async function misbehave() {
  const json = { "content-type": "application/json" };
  const bearer = { authorization: `Bearer ${api.tokens.employee}` };
  const send = async (path: string, init: RequestInit = {}) => {
    const { text, headers } = await call(server.url + path, init);
    answers.push(text, JSON.stringify([...headers]));
  };
  const form = new FormData();
  form.set("name", "Тормоза");
  form.set("password", given.password);
  form.set("image_blob", new Blob([new Uint8Array(await redPng())]), "a.png");
  const query = `access_token=${api.tokens.employee}&api-key=${apiKey}&password=${given.password}`;
  const secret = { password: given.password, token: api.tokens.employee, note: given.note };

  await send("/categories");
  await send(`/categories?${query}`);
  await send(`/jobs/${known.job_id}?${query}`, { headers: bearer });
  await send(`/nowhere?${query}`);
  await send("/categories", { method: "POST", body: form, headers: bearer });
  await send(`/categories/${known.category_id}?${query}`, { method: "PATCH", body: form, headers: bearer });
  await send(`/users/${known.user_id}`, {
    method: "PATCH",
    headers: { ...bearer, ...json },
    body: JSON.stringify({ note: given.note }),
  });
  await send(`/users/${known.user_id}?${query}`, {
    method: "PATCH",
    headers: { ...bearer, ...json },
    body: JSON.stringify({ ...secret, city: 5 }),
  });
  await send(`/users/${known.user_id}`, {
    method: "PATCH",
    headers: { ...bearer, ...json },
    body: `{"note": "${given.password}",`,
  });
  await send("/documents/price", { method: "POST", headers: { "api-key": given.wrongKey, prefer: "respond-async" } });
  await send("/documents/price", { method: "POST", headers: { "api-key": apiKey, prefer: "respond-async" } });
  const user = { id: known.user_id, email: "user@test.example", first_name: "A", last_name: "B" };
  const event = { type: "user.updated", data: { ...user, password: given.password } };
  for (const value of [given.wrongKey, webhookSecret]) {
    const headers = { ...json, "x-better-auth-secret": value };
    await send("/webhooks/better-auth", { method: "POST", headers, body: JSON.stringify(event) });
  }
  await send("/webhooks/better-auth", {
    method: "POST",
    headers: { ...json, "x-better-auth-secret": webhookSecret },
    body: "{",
  });
  // An unforeseen error is logged with its stack.
  await api.db.query("ALTER TABLE users RENAME TO users_away");
  await send(`/users/${known.user_id}?${query}`, { headers: bearer }).finally(() =>
    api.db.query("ALTER TABLE users_away RENAME TO users"),
  );
  await send("/metrics");
  await send("/admin/queues/login", { method: "POST", body: new URLSearchParams({ token: api.tokens.employee }) });
  await send("/the-last", { headers: { "x-request-id": "the-last-one" } });
}

function expectNone(text: string, where: string) {
  const found = Object.entries(secrets).filter(([, secret]) => secret && text.includes(secret));
  expect(
    found.map(([what]) => what),
    where,
  ).toEqual([]);
}

describe("secrets and what was told in confidence", () => {
  test("are known to this test", () => {
    expect(Object.values(secrets).filter((secret) => secret.length < 10)).toEqual([]);
    expect(answers.length).toBeGreaterThan(20);
  });

  test("are in no line of the log", () => {
    expect(lines().some(({ level, err }) => level === 50 && err)).toBe(true);
    expectNone(server.output, "the log");
    expect(server.output).not.toContain(given.note);
  });

  test("are in no answer but to the one who sent them", () => {
    // A wrong value is shown to the caller who sent it (contract 1.11), and to no other.
    const text = answers.join("\n");
    for (const [what, secret] of Object.entries(secrets)) {
      if (secret !== given.password && what !== "the token of an employee") expect(text, what).not.toContain(secret);
    }
  });

  test("are not in the audit log", async () => {
    const rows = await api.db.query("SELECT endpoint, payload::text FROM audit_log");
    expect(rows.length).toBeGreaterThan(3);
    expectNone(JSON.stringify(rows), "the audit log");
  });

  test("are not in Redis", async () => {
    const found = await keptInRedis(api.redis, queuePrefix);
    expect(found.length).toBeGreaterThan(0);
    expectNone(found.join("\n"), "Redis");
  });

  test("are not in the jobs that are promised", async () => {
    expectNone(JSON.stringify(await api.db.query("SELECT * FROM job")), "the ledger");
  });
});

describe("lines of the log", () => {
  const evil = '\u001b[31mred\u001b[0m "level":60,"msg":"forged"';

  test("are one JSON object each, whatever a caller calls himself or asks for", async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    const head = [
      `GET /nowhere/${encodeURIComponent('a\n{"level":60}')}?a=%0A%0D HTTP/1.1`,
      "host: x",
      `user-agent: ${evil.replaceAll("\u001b", "")}`,
      'x-request-id: 12345678","level":60,"x":"',
      "connection: close",
    ];
    socket.write(Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"));
    await new Promise((resolve) => socket.resume().once("close", resolve));
    await call(`${server.url}/users/${known.user_id}`, {
      method: "PATCH",
      headers: {
        authorization: `Bearer ${api.tokens.employee}`,
        "content-type": "application/json",
        "x-request-id": "after-forgeries",
      },
      body: JSON.stringify({ first_name: `${evil}\n{"level":60}`, note: `${evil}\n{"level":60}` }),
    });
    await logged(({ request }) => request === "after-forgeries");
    for (const line of lines()) expect(line).toMatchObject({ level: expect.any(Number), name: "api" });
    expect(lines().filter(({ level }) => level === 60)).toEqual([]);
    // Control characters would play with the terminal of an operator who reads the log.
    expect(server.output.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});

describe("refused credentials", () => {
  test("leave a line each, with the status and the address they came from", () => {
    const refused = lines().filter(({ status }) => status === 401);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    for (const line of refused) expect(line).toMatchObject({ route: expect.any(String), client: expect.any(String) });
  });
});
