import { describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { storefrontCalls } from "../../support/clients/storefront.ts";
import { warehouseCalls } from "../../support/clients/warehouse.ts";
import { contractRoutes } from "../../support/contract-routes.ts";
import { readDocument } from "../../support/open-api-document.ts";

/** `/orders/{}`: two names for the same parameter are the same path. */
const nameless = (path: string) => path.split("?", 1)[0]?.replaceAll(/\{\w+\}/g, "{}") ?? "";

const operations = new Map(
  readDocument(routes).operations.map((one) => [`${one.method} ${nameless(one.path)}`, one] as const),
);
const find = (method: string, path: string) => operations.get(`${method} ${nameless(path)}`);

describe("the routes of the contract", () => {
  test("are all in the OpenAPI document", () => {
    const missing = contractRoutes.filter(([method, path]) => !find(method, path));
    expect(missing.map(([method, path]) => `${method} ${path}`)).toEqual([]);
  });

  test("succeed with the status of the contract", () => {
    const wrong = contractRoutes.filter(([method, path, , success]) => {
      const operation = find(method, path);
      return operation && !(success in operation.responses);
    });
    expect(wrong.map(([method, path, , success]) => `${method} ${path} ${success}`)).toEqual([]);
  });

  test("say who may call them", () => {
    const wrong = contractRoutes.filter(([method, path, role]) => {
      const operation = find(method, path);
      return operation && operation["x-access"] !== role;
    });
    expect(wrong.map(([method, path, role]) => `${method} ${path} ${role}`)).toEqual([]);
  });

  test.each([
    ["storefront", storefrontCalls],
    ["warehouse", warehouseCalls],
  ])("cover every call of the %s", (_client, calls) => {
    const missing = Object.entries(calls).filter(([, { method, path }]) => !find(method, path));
    expect(missing.map(([name, { method, path }]) => `${name} ${method} ${path}`)).toEqual([]);
  });

  test("are listed once each", () => {
    const names = contractRoutes.map(([method, path]) => `${method} ${nameless(path)}`);
    expect(names.filter((name, n) => names.indexOf(name) !== n)).toEqual([]);
  });
});
