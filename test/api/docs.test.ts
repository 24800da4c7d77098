import { beforeAll, describe, expect, test } from "vitest";
import { exampleOfferId, examples } from "../../src/api/examples.ts";
import { routes } from "../../src/api/routes/index.ts";
import { apiKey, call, useApi } from "../support/api.ts";
import { addOffer } from "../support/catalogue.ts";

const api = useApi({ relay: false });

beforeAll(async () => {
  await addOffer(api.db, { id: exampleOfferId, quantity: 100 });
});

describe("the examples of the API reference", () => {
  test("are of routes that there are", () => {
    const names = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(Object.keys(examples).filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(Object.entries(examples))("%s is accepted as it stands", async (name, example) => {
    const [method = "", path = ""] = name.split(" ");
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${api.tokens.admin}`,
      "api-key": apiKey,
      prefer: "respond-async",
    };
    const { status, text } = await call(api.url + path, { method, headers, body: JSON.stringify(example) });
    expect([200, 201, 202], text).toContain(status);
  });

  test("let a guest order without any change", async () => {
    const body = JSON.stringify(examples["POST /orders"]);
    const headers = { "content-type": "application/json" };
    expect((await call(`${api.url}/orders`, { method: "POST", headers, body })).status).toBe(201);
  });
});
