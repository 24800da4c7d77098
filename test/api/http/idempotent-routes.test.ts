import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { examples } from "../../../src/api/http/examples.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { apiKey, call, objectKeys, useApi, userIds } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";
import { fingerprint } from "../../support/fingerprint.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { sampleBody, samplePath } from "../../support/sample-request.ts";

const api = useApi({ relay: false });
const { operations, follow } = readDocument(routes);
const keyed = operations.filter(({ method, path }) =>
  routes.some((route) => route.idempotent && route.path === path && route.method.toUpperCase() === method),
);

const otherOrder = "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6072";
const delivery = "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6074";
const mailId = "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6073";
const paid = (state: string) => ({ sql: `UPDATE payments SET state = '${state}' WHERE id = '${known.payment_id}'` });

/** What has to be there for the sample of a route to succeed, and where it goes then. */
const preparations: Record<string, { sql?: string; path?: string }> = {
  "POST /balance/adjust/{user_id}": { path: `/balance/adjust/${known.user_id}?delta=5&reason=OTHER` },
  "POST /orders/{order_id}/convert": {
    sql: `INSERT INTO orders (id, shipping_method, first_name, last_name, email, phone)
          VALUES ('${otherOrder}', 'CARGO', 'a', 'b', 'a@example.com', '+79780424666')`,
    path: `/orders/${otherOrder}/convert`,
  },
  "POST /jobs/{job_id}/retry": { sql: "UPDATE job SET state = 'failed', finished_at = now()" },
  "POST /jobs/{job_id}/cancel": { sql: "UPDATE job SET state = 'open', finished_at = NULL" },
  "POST /mail/{mail_id}/resend": {
    sql: `INSERT INTO mails (id, kind, recipient, state) VALUES ('${mailId}', 'price-list', 'a@example.com', 'sent')`,
    path: `/mail/${mailId}/resend`,
  },
  "POST /payments/{payment_id}/confirm": paid("pending"),
  "POST /payments/{payment_id}/capture": paid("authorized"),
  "POST /payments/{payment_id}/refund": paid("paid"),
  "POST /payments/{payment_id}/assign": {
    sql: `UPDATE payments SET state = 'unmatched', unmatched_reason = 'nothing_due', refunded_rub = 0
          WHERE id = '${known.payment_id}'`,
  },
  "POST /waybills/{waybill_id}/return": {
    sql: `INSERT INTO waybills (id, author_id, customer_id, waybill_type, is_pending, committed_at)
          VALUES ('${delivery}', '${userIds.employee}', '${known.user_id}', 'WAYBILL_OUT', false, now());
          INSERT INTO waybill_offers (waybill_id, offer_id, brand, manufacturer_number, quantity, price_rub)
          VALUES ('${delivery}', '${known.offer_id}', 'ACME', 'AC-100', 1, 100)`,
    path: `/waybills/${delivery}/return`,
  },
  "POST /payments/{payment_id}/fail": paid("pending"),
  // What was adjusted before would be lost.
  "POST /users/{user_id}/erasure": { sql: `UPDATE users SET balance_rub = 0 WHERE id = '${known.user_id}'` },
};

/** Every other POST makes or moves something, and a repetition must not do it twice. */
const withoutKeys = [
  // Reads.
  "POST /offers/by-ids",
  // May be repeated as they are.
  "POST /products/{product_id}/restore",
  "POST /offers/{offer_id}/restore",
  "POST /mail/suppressions",
  "POST /mail/unsubscribe/{token}",
  "POST /mail/newsletters/{job_id}/pause",
  "POST /mail/newsletters/{job_id}/resume",
  // What other systems report has ids of its own.
  "POST /webhooks/better-auth",
  "POST /webhooks/mail",
  "POST /webhooks/payments/{provider}",
  "POST /payments/test-provider/{reference}",
  // The answer has a secret in it, which is not kept (docs/decisions/0014-webhooks.md).
  "POST /webhook-endpoints",
  "POST /webhook-endpoints/{webhook_endpoint_id}/rotate-secret",
];

beforeAll(() => addBusiness(api.db));

describe("a route that honours an Idempotency-Key", () => {
  test("is every POST that makes or moves something", () => {
    const posts = operations.filter(({ method }) => method === "POST").map(({ name }) => name);
    expect(posts.filter((name) => !keyed.some((one) => one.name === name)).sort()).toEqual(withoutKeys.toSorted());
  });

  test.each(keyed.map((operation) => [operation.name, operation] as const))(
    "does a request once, and refuses another one under its key: %s",
    async (name, operation) => {
      const { sql, path = samplePath(operation, follow) } = preparations[name] ?? {};
      if (sql) await api.db.query(sql);
      const sample = await sampleBody(operation, follow);
      const isForm = sample.body instanceof FormData;
      const body = name in examples && !isForm ? JSON.stringify(examples[name]) : sample.body;
      const caller = operation["x-access"] === "api-key" ? { "api-key": apiKey } : bearer(api.tokens.admin);
      const headers = { prefer: "respond-async", ...sample.headers, ...caller, "idempotency-key": randomUUID() };
      const send = (base: string) =>
        call(api.url + base + path, { method: operation.method, headers, ...(body && { body }) });
      const state = async () => [await fingerprint(api.db), await objectKeys(api.s3)];

      const first = await send("");
      expect(first.status, first.text).toBeLessThan(300);
      expect(first.headers.get("idempotency-replayed")).toBeNull();
      const before = await state();
      const again = await send("");
      expect([again.status, again.text]).toEqual([first.status, first.text]);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
      expect((await send("/warehouse")).status).toBe(422);
      expect(await state()).toEqual(before);
    },
  );
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
