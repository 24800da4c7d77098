import { describe, expect, test, vi } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { call, useApi } from "../../support/api.ts";

describe("the API as a whole", () => {
  const api = useApi({ corsOrigins: ["https://shop.test"] });
  const get = (path: string, init: RequestInit = {}) => call(api.url + path, init);

  test("answers 404 to an unknown path and 405 to a known one with another method", async () => {
    const unknown = await get("/nowhere");
    expect(unknown).toMatchObject({ status: 404, body: { detail: "Not Found" } });
    expect(unknown.headers.get("content-type")).toBe("application/json");
    const { status, headers, body } = await get("/categories", { method: "PUT" });
    expect([status, headers.get("allow"), body.detail]).toEqual([405, "GET, POST", "Method Not Allowed"]);
    expect((await get("/categories/slug/x", { method: "DELETE" })).headers.get("allow")).toBe("GET");
  });

  test("every answer names its request, hides the server and forbids guessing its type", async () => {
    for (const path of ["/categories", "/nowhere", "/-/version", "/docs/", "/admin/queues/login"]) {
      const { headers } = await get(path);
      expect(headers.get("x-request-id"), path).toMatch(/^[\w-]{36}$/);
      expect(headers.get("x-powered-by"), path).toBeNull();
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
    }
  });

  test("keeps a request id of the caller if it is harmless", async () => {
    const idOf = async (id: string) =>
      (await get("/-/version", { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(await idOf("trace-0123456789")).toBe("trace-0123456789");
    expect(await idOf("<script>alert(1)</script>")).not.toContain("<");
  });

  test("lets configured origins call, and no others", async () => {
    const preflight = (origin: string) =>
      get("/categories", { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
    const allowed = await preflight("https://shop.test");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://shop.test");
    expect((await preflight("https://evil.test")).headers.get("access-control-allow-origin")).toBeNull();
    expect((await preflight("null")).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("says that it lives, is ready, and which version it is", async () => {
    expect((await get("/-/health-checks/liveness")).status).toBe(204);
    expect((await get("/-/health-checks/readiness")).status).toBe(204);
    const verbose = await get("/-/health-checks/readiness?verbose");
    expect(verbose.body).toEqual({ checks: { postgres: "ok", redis: "ok", s3: "ok" } });
    expect((await get("/-/version")).body).toEqual({ version: "1.2.3" });
  });

  test("is not ready while S3 is unavailable or the process stops, and says so", async () => {
    await api.s3.stop();
    const away = await vi.waitFor(async () => {
      const answer = await get("/-/health-checks/readiness");
      expect(answer.status).toBe(503);
      return answer;
    }, 10_000);
    expect(away).toMatchObject({
      status: 503,
      body: { detail: "Not ready: s3", checks: { postgres: "ok", redis: "ok", s3: "cannot be reached" } },
    });
    const postgresOnly = await get("/-/health-checks/readiness?require=postgres");
    expect(postgresOnly.status).toBe(204);
    await api.s3.start();
    api.isStopping = true;
    const stopping = async () => (await get("/-/health-checks/readiness")).body.detail;
    await vi.waitFor(async () => expect(await stopping()).toBe("Not ready: process"), 10_000);
    api.isStopping = false;
    expect((await get("/-/health-checks/liveness")).status).toBe(204);
  });

  test("measures requests by route", async () => {
    await get("/categories");
    const text = await api.context.metrics.registry.metrics();
    expect(text).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/categories",status="200"\} \d/);
  });

  test("has no metrics for the public", async () => {
    expect((await get("/metrics")).status).toBe(404);
  });

  test("describes every route in OpenAPI 3.1, with the picture as a file", async () => {
    const document = JSON.parse((await get("/openapi.json")).text);
    expect(document.openapi).toBe("3.1.0");
    for (const { path, method, access } of routes) {
      const operation = document.paths[path][method];
      expect(operation.summary, path).toBeTruthy();
      expect(operation["x-access"], path).toBe(access);
      expect(operation.security.length > 0, path).toBe(access !== "public");
    }
    const { schema } = document.paths["/categories"].post.requestBody.content["multipart/form-data"];
    expect(schema.required.toSorted()).toEqual(["image_blob", "name"]);
    const size = document.paths["/categories"].get.parameters.find((one: { name: string }) => one.name === "size");
    expect(size.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 500, default: 300 });
  });

  test("serves the API reference from itself alone", async () => {
    const { text } = await get("/docs/");
    const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? "");
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) expect((await get(link)).status, link).toBe(200);
  });
});
