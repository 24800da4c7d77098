import { Webhook } from "standardwebhooks";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { webhookEndpoints } from "../../../../src/db/dao/webhooks/webhook-endpoints.ts";
import { AuditEntry } from "../../../../src/db/entities/audit/audit-entry.ts";
import { type Body, useApi, useWorker } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { useReceiver } from "../../../support/receiver.ts";
import { addEndpoint } from "../../../support/webhook-endpoints.ts";

interface Endpoint {
  id: string;
  url: string;
  secret: string;
  is_active: boolean;
  event_types: string[];
  description: string | null;
  consecutive_failures: number;
  disabled_reason: string | null;
}
interface Page<T> {
  items: T[];
  total: number;
}

const api = useApi();
useWorker(api);
const receiver = useReceiver();
const ask = asker(api);
const unknownId = "00000000-0000-4000-8000-000000000000";
const url = "https://receiver.example/events";
const create = (body: object = {}, headers: Record<string, string> = {}) =>
  ask<Endpoint>("POST /webhook-endpoints", {
    as: "admin",
    body: { url, event_types: ["order.created"], ...body },
    headers,
  });
const one = (method: string, id: string, path = "", body?: object) =>
  ask<Endpoint>(`${method} /webhook-endpoints/${id}${path}`, { as: "admin", body });

beforeEach(async () => {
  await api.db.query("DELETE FROM webhook_endpoints");
});

describe("an endpoint of webhooks", () => {
  test("is entered, shown, changed and deleted by an admin", async () => {
    const { status, body, headers } = await create({
      url: " https://Receiver.example:443/events#part ",
      description: "CRM",
      event_types: ["order.paid", "order.created", "order.paid"],
    });
    expect([status, headers.get("cache-control")]).toEqual([201, "no-store"]);
    expect(body).toMatchObject({ url, description: "CRM", event_types: ["order.paid", "order.created"] });
    const { secret, ...shown } = body;
    expect(Buffer.from(secret.replace(/^whsec_/, ""), "base64")).toHaveLength(32);

    expect((await one("GET", body.id)).body).toEqual(shown);
    const list = await ask<Page<Endpoint>>("GET /webhook-endpoints", { as: "admin" });
    expect(list.body).toMatchObject({ items: [shown], total: 1 });

    const change = { description: "", event_types: ["job.failed"], is_active: false };
    const changed = await one("PATCH", body.id, "", change);
    expect(changed.body).toMatchObject({ ...change, url, description: null });
    expect((await one("DELETE", body.id)).status).toBe(204);
    expect((await one("GET", body.id)).status).toBe(404);
  });

  test("shows its secret when it is made and when it gets another, and nowhere else", async () => {
    const made = (await create({}, { "idempotency-key": "made-once" })).body;
    const rotated = (await one("POST", made.id, "/rotate-secret")).body;
    expect(rotated.secret).toMatch(/^whsec_.{44}$/);
    expect(rotated.secret).not.toBe(made.secret);
    expect(await webhookEndpoints.secrets(api.db.manager, made.id)).toEqual([rotated.secret, made.secret]);

    const answers = [
      await one("GET", made.id),
      await ask("GET /webhook-endpoints", { as: "admin" }),
      await one("PATCH", made.id, "", { description: "A", secret: rotated.secret }),
      await one("POST", made.id, "/test"),
      await ask(`GET /webhook-endpoints/${made.id}/deliveries`, { as: "admin" }),
    ];
    expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
    const tables = ["audit_log", "job", "job_outbox", "events", "idempotency_key"];
    const rows = await Promise.all(tables.map((table) => api.db.query(`SELECT t::text FROM ${table} t`)));
    const told = JSON.stringify([answers.map(({ text }) => text), rows]);
    for (const secret of [made.secret, rotated.secret]) expect(told).not.toContain(secret.slice(6));
    expect(await api.db.manager.countBy(AuditEntry, {})).toBeGreaterThan(2);
    // The secret was sent to it, but is not for clients to say.
    expect(await webhookEndpoints.secrets(api.db.manager, made.id)).toEqual([rotated.secret, made.secret]);
  });

  test.each([
    ["http://receiver.example/", "its scheme is 'http' and not 'https'"],
    ["https://0x7f.1/", "'127.0.0.1' is not a public address"],
    ["https://169.254.169.254/", "'169.254.169.254' is not a public address"],
    ["https://user:pass@receiver.example/", "it has a user or a password in it"],
    ["https://redis:6379/", "'redis' is not a name of the public Internet"],
    ["https://receiver.example:22/", "its port is '22'; it has to be 443 or above 1024"],
  ])("is refused when it is %s", async (wrong, why) => {
    const { id } = await addEndpoint(api.db);
    const msg = `Value error, webhooks cannot be sent there: ${why}`;
    for (const answer of [await create({ url: wrong }), await one("PATCH", id, "", { url: wrong })]) {
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({ detail: [{ type: "value_error", loc: ["body", "url"], msg, input: wrong }] });
    }
    expect((await ask<Page<Endpoint>>("GET /webhook-endpoints", { as: "admin" })).body.total).toBe(1);
  });

  test.each([[{ event_types: [] }], [{ event_types: ["ping"] }], [{ event_types: ["order.*"] }], [{ url: "" }]])(
    "is refused with %j",
    async (wrong) => {
      expect((await create(wrong)).status).toBe(422);
    },
  );

  test("is one of 50 at most, even when several are entered at once", async () => {
    for (let n = 0; n < 48; n++) await addEndpoint(api.db);
    const answers = await Promise.all([create(), create(), create(), create()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409]);
  });

  test("starts without its failures when it is switched on again", async () => {
    const { id } = await addEndpoint(api.db, { isActive: false });
    await api.db.query(
      `UPDATE webhook_endpoints SET consecutive_failures = 7, failing_since = now(), disabled_at = now(),
         disabled_reason = 'It answered 410 Gone'`,
    );
    expect((await one("GET", id)).body.disabled_reason).toBe("It answered 410 Gone");
    const { body } = await one("PATCH", id, "", { is_active: true });
    expect(body).toMatchObject({ is_active: true, consecutive_failures: 0, disabled_at: null, disabled_reason: null });
  });

  test("is tried with a ping, whose delivery is shown with its attempts", async () => {
    receiver.answer = (res, { headers }) => res.writeHead(headers["webhook-id"] ? 410 : 500).end("No");
    const { id, secret } = await addEndpoint(api.db, { url: `${receiver.url}/ping` });
    const { status, headers, body } = await ask<Body>(`POST /webhook-endpoints/${id}/test`, { as: "admin" });
    expect([status, headers.get("location")]).toEqual([202, `https://api.test/jobs/${body.id}`]);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), 5_000);
    const [received] = receiver.received;
    expect(new Webhook(secret).verify(received?.body ?? "", received?.headers ?? {})).toMatchObject({ type: "ping" });
    await vi.waitFor(async () => {
      const list = await ask<Page<object>>(`GET /webhook-endpoints/${id}/deliveries?size=1`, { as: "admin" });
      expect(list.body).toMatchObject({
        total: 1,
        items: [
          {
            ...{ id: body.id, event_id: received?.headers["webhook-id"], status: "failed", response_status: null },
            attempts: [{ outcome: "failed", error: "The endpoint is gone and was disabled: it answered 410" }],
          },
        ],
      });
    }, 5_000);
  });

  test("that is not there is not found", async () => {
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/deliveries"],
      ["DELETE", ""],
      ["POST", "/rotate-secret"],
      ["POST", "/test"],
    ] as const)
      expect((await one(method, unknownId, path)).status).toBe(404);
    expect((await one("PATCH", unknownId, "", { is_active: true })).status).toBe(404);
  });
});
