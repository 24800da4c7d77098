import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { examples } from "../../../src/api/http/examples.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { call, useApi } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";
import { type Described, readDocument } from "../../support/open-api-document.ts";
import { sampleBody, samplePath } from "../../support/sample-request.ts";

const api = useApi({ relay: false });
const { operations, follow } = readDocument(routes);
const creating = operations.filter(({ responses }) => "201" in responses);

/** What they make is shown by a list alone, or by what it belongs to. */
const unshown = [
  "POST /balance/adjust/{user_id}",
  "POST /orders/{order_id}/offers",
  "POST /waybills/{waybill_id}/offers",
];

/** Where the sample of a route goes to succeed, after what it needs was entered. */
const preparations: Record<string, () => Promise<string>> = {
  "POST /balance/adjust/{user_id}": async () => `/balance/adjust/${known.user_id}?delta=5&reason=OTHER`,
  async "POST /orders/{order_id}/convert"() {
    const id = randomUUID();
    const order = `INSERT INTO orders (id, shipping_method, first_name, last_name, email, phone)
      VALUES ($1, 'CARGO', 'a', 'b', 'a@example.com', '+79780424666')`;
    await api.db.query(order, [id]);
    return `/orders/${id}/convert`;
  },
  async "POST /documents"() {
    const path = "/documents";
    for (const operation of creating.filter((one) => one.path === path)) await send("", operation, path, quick);
    // As if the job were done.
    await api.db.query("UPDATE documents SET ready_at = now(), object_key = 'documents/a/b', bytes = 1");
    return path;
  },
  async "POST /waybills/{waybill_id}/return"() {
    const id = randomUUID();
    await api.db.query(
      `INSERT INTO waybills (id, author_id, customer_id, waybill_type, is_pending, committed_at)
       VALUES ($1, $2, $2, 'WAYBILL_OUT', false, now())`,
      [id, known.user_id],
    );
    await api.db.query(
      `INSERT INTO waybill_offers (waybill_id, offer_id, brand, manufacturer_number, quantity, price_rub)
       VALUES ($1, $2, 'ACME', 'AC-100', 1, 100)`,
      [id, known.offer_id],
    );
    return `/waybills/${id}/return`;
  },
  async "POST /orders/{order_id}/payments"() {
    await api.db.query("UPDATE payments SET state = 'failed'");
    return `/orders/${known.order_id}/payments`;
  },
  async "POST /cart/checkout"() {
    const body = JSON.stringify({ offer_id: known.offer_id, quantity: 1 });
    const headers = { ...bearer(), "content-type": "application/json" };
    await call(`${api.url}/cart/offers`, { method: "POST", headers, body });
    return "/cart/checkout";
  },
};
const bearer = () => ({ authorization: `Bearer ${api.tokens.admin}` });

const quick = { prefer: "respond-async" };

beforeAll(() => addBusiness(api.db));

async function send(base: string, operation: Described, path: string, headers: object) {
  const { name, method } = operation;
  const sample = await sampleBody(operation, follow);
  if (sample.body instanceof FormData) {
    // Names, and what makes an offer another one, are there once.
    for (const field of ["name", "manufacturer_number"])
      if (sample.body.has(field)) sample.body.set(field, unique(headers));
  }
  const isExample = name in examples && !(sample.body instanceof FormData);
  const body = isExample ? JSON.stringify(examples[name]) : sample.body;
  const all = { ...sample.headers, ...bearer(), ...headers };
  return call(api.url + base + path, { method, headers: all, ...(body && { body }) });
}
const unique = (headers: object) => `Колодка ${(headers as Record<string, string>)["idempotency-key"]}`;

describe("a 201", () => {
  test("names the GET of what it answers with, wherever there is one", () => {
    const without = creating.filter(({ responses }) => !("headers" in (responses["201"] ?? {})));
    expect(without.map(({ name }) => name).toSorted()).toEqual(unshown);
  });

  test.each(creating.map((operation) => [operation.name, operation] as const))(
    "says where its thing is in the caller's profile, to a repetition as well: %s",
    async (_name, operation) => {
      for (const base of ["", "/warehouse"]) await follows(base, operation);
    },
  );
});

async function follows(base: string, operation: Described) {
  const { name } = operation;
  const path = (await preparations[name]?.()) ?? samplePath(operation, follow);
  const headers = { ...quick, "idempotency-key": randomUUID() };
  const made = await send(base, operation, path, headers);
  expect(made.status, made.text).toBe(201);
  const location = made.headers.get("location");
  if (unshown.includes(name)) return expect(location).toBeNull();
  expect(location).toMatch(new RegExp(`^https://api\\.test${base}/(?!warehouse)`));

  const found = await call(String(location).replace("https://api.test", api.url), { headers: bearer() });
  expect(found.status, `${location}: ${found.text}`).toBe(200);
  expect(found.body.id).toBe(made.body.id);
  if (!routes.some((route) => route.idempotent && `POST ${route.path}` === name)) return;
  const again = await send(base, operation, path, headers);
  expect([again.headers.get("idempotency-replayed"), again.headers.get("location")]).toEqual(["true", location]);
}
