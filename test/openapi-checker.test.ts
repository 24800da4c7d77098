import { describe, expect, test } from "vitest";
import { openApiChecker, type Received } from "./support/openapi.ts";

const Part = {
  type: "object",
  properties: { id: { type: "string", format: "uuid" }, at: { type: "string", format: "date-time" } },
  required: ["id"],
  additionalProperties: false,
};
const Problem = {
  type: "object",
  properties: { detail: { type: "string" } },
  required: ["detail"],
  additionalProperties: false,
};
const json = (name: string) => ({
  content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
});
const document = {
  openapi: "3.1.0",
  info: { title: "Parts", version: "1" },
  paths: {
    "/parts/{part_id}": {
      get: { responses: { 200: json("Part"), 404: json("Problem") } },
      delete: { responses: { 204: { description: "No Content" } } },
    },
    "/parts/meta": { get: { responses: { 200: { content: { "text/csv": { schema: { type: "string" } } } } } } },
  },
  components: { schemas: { Part, Problem } },
};

const check = openApiChecker(document);
const part = { id: "6a0b7e0e-3c1d-4f6a-9b0e-2d4c5e6f7a81" };

function answer(path: string, body: unknown, rest: Partial<Received> = {}): Received {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { method: "GET", url: `http://api.test${path}`, status: 200, contentType: "application/json", text, ...rest };
}

describe("an answer is held against the OpenAPI document and", () => {
  test.each<[string, Received]>([
    ["a declared body", answer("/parts/1", part)],
    ["the same for the warehouse, with a query", answer("/warehouse/parts/1?a=1", part)],
    ["a trailing slash", answer("/parts/1/", part)],
    ["a declared error", answer("/parts/1", { detail: "Part not found" }, { status: 404 })],
    ["an error that every route may have", answer("/parts/1", { detail: "Later" }, { status: 503 })],
    ["a route that is not there", answer("/nowhere", { detail: "Not Found" }, { status: 404 })],
    ["a method that is not there", answer("/parts/1", { detail: "Not Allowed" }, { status: 405, method: "PUT" })],
    [
      "nothing, where nothing is declared",
      answer("/parts/1", "", { method: "DELETE", status: 204, contentType: null }),
    ],
    ["304 to a caller that has it", answer("/parts/1", "", { status: 304, contentType: null, conditional: true })],
    ["another type that is declared", answer("/parts/meta", "a;b", { contentType: "text/csv; charset=utf-8" })],
    ["HEAD", answer("/parts/1", "", { method: "HEAD" })],
    ["a preflight", answer("/parts/1", "", { method: "OPTIONS", status: 204, contentType: null })],
    ["Bull Board", answer("/admin/queues/api/queues", {})],
    ["a probe", answer("/-/version", {})],
    ["the way to the reference", answer("/", "", { status: 302 })],
  ])("passes: %s", (_what, received) => {
    expect(() => check(received)).not.toThrow();
  });

  test.each<[string, Received, string]>([
    ["a missing key", answer("/parts/1", {}), "must have required property 'id'"],
    ["an undeclared key", answer("/parts/1", { ...part, price: 1 }), '"additionalProperty":"price"'],
    ["a wrong format", answer("/parts/1", { ...part, at: "yesterday" }), "/at must match format"],
    ["an undeclared status", answer("/parts/1", part, { status: 201 }), "status is not declared"],
    ["an error of another shape", answer("/parts/1", { error: "no" }, { status: 500 }), "required property 'detail'"],
    ["an error that is not JSON", answer("/parts/1", "no", { status: 500, contentType: null }), "instead of JSON"],
    ["an undeclared type", answer("/parts/1", "<p>", { contentType: "text/html" }), "content type 'text/html'"],
    ["a body with 204", answer("/parts/1", part, { method: "DELETE", status: 204 }), "a body where none is declared"],
    ["304 to a caller that has nothing", answer("/parts/1", "", { status: 304 }), "status is not declared"],
    ["a route that the document does not have", answer("/secrets", {}), "the document has no such route"],
    ["a method that the document does not have", answer("/parts/1", {}, { method: "PUT" }), "has no such route"],
    ["another route beside the reference", answer("/docs-of-others", {}), "the document has no such route"],
    ["a literal segment taken for a parameter", answer("/parts/meta", part), "only text/csv"],
  ])("fails: %s", (_what, received, complaint) => {
    expect(() => check(received)).toThrow(complaint);
  });

  test("the complaint names the request, what is wrong and what came", () => {
    expect(() => check(answer("/parts/1", { id: 5 }))).toThrow(
      /^GET \/parts\/1 answered 200, which does not fit the OpenAPI document:\n- \/id must be string .*\n\{"id":5\}$/,
    );
  });
});
