import { beforeAll, describe, expect, test } from "vitest";
import { examples } from "../../../src/api/http/examples.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { apiKey, call, useApi } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { bodySchema, sampleBody, samplePath } from "../../support/sample-request.ts";

const api = useApi({ relay: false });
const { operations, follow } = readDocument(routes);
/** The state of a payment in which an example makes sense. */
const states: Record<string, string> = {
  "POST /payments/{payment_id}/refund": "paid",
  "POST /payments/{payment_id}/assign": "unmatched",
};
const mailId = "2f3e4d5c-6b7a-4890-9a1b-2c3d4e5f6073";

beforeAll(async () => {
  await addBusiness(api.db);
  await api.db.query("UPDATE payments SET state = 'failed' WHERE id = $1", [known.payment_id]);
  const mail = `INSERT INTO mails (id, kind, recipient, state) VALUES ($1, 'price-list', 'a@example.com', 'sent')`;
  await api.db.query(mail, [mailId]);
});

describe("the examples of the API reference", () => {
  test("are of routes that there are", () => {
    const names = operations.map(({ name }) => name);
    expect(Object.keys(examples).filter((name) => !names.includes(name))).toEqual([]);
  });

  test("are there for each route that takes JSON", () => {
    const takesJson = operations.filter((one) => bodySchema(one, "json") && !one["x-access"].startsWith("webhook"));
    const raw = routes.filter((route) => route.raw).map(({ path }) => path);
    const without = takesJson.filter(({ name, path }) => !(name in examples) && !raw.includes(path));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  test.each(Object.entries(examples))("%s is accepted as it stands", async (name, example) => {
    const state = states[name];
    if (state)
      await api.db.query("UPDATE payments SET state = $1, unmatched_reason = 'nothing_due', refunded_rub = 0", [state]);
    // An account with a balance is not erased.
    if (name.endsWith("/erasure")) await api.db.query("UPDATE users SET balance_rub = 0");
    const operation = operations.find((one) => one.name === name);
    if (!operation) throw new Error(`There is no '${name}'`);
    const path = name.startsWith("POST /mail/{mail_id}") ? `/mail/${mailId}/resend` : samplePath(operation, follow);
    const sample = await sampleBody(operation, follow);
    if (sample.body instanceof FormData) {
      for (const [field, value] of Object.entries(example as object)) sample.body.set(field, value);
    }
    const headers = {
      ...sample.headers,
      authorization: `Bearer ${api.tokens.admin}`,
      "api-key": apiKey,
      prefer: "respond-async",
    };
    const body = sample.body instanceof FormData ? sample.body : JSON.stringify(example);
    const { status, text } = await call(api.url + path, { method: operation.method, headers, body });
    expect([200, 201, 202], text).toContain(status);
  });

  test("stand at each field of a form, where the reference looks for them", () => {
    const name = (operation: string) => {
      const found = operations.find((one) => one.name === operation);
      return follow(follow((found && bodySchema(found, "form")) ?? {}).properties?.name ?? {});
    };
    expect(name("POST /categories")).toMatchObject({ examples: ["Багажники и рейлинги"] });
    expect(name("PATCH /products/{product_id}")).toMatchObject({ examples: ["Рейлинг продольный правый"] });
  });

  test("let a guest order without any change", async () => {
    const body = JSON.stringify(examples["POST /orders"]);
    const headers = { "content-type": "application/json" };
    expect((await call(`${api.url}/orders`, { method: "POST", headers, body })).status).toBe(201);
  });
});
