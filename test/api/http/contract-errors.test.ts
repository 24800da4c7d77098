import { beforeAll, describe, expect, test } from "vitest";
import { apiKey, call, useApi, webhookSecret } from "../../support/api.ts";
import { asker, type Question } from "../../support/ask.ts";
import { addBusiness, known } from "../../support/business.ts";
import { unknownId } from "../../support/sample-request.ts";

const api = useApi({ relay: false });
const ask = asker(api);

beforeAll(() => addBusiness(api.db));

const form = { "content-type": "application/x-www-form-urlencoded" };
const key = { as: "anonymous", headers: { "api-key": apiKey } } as const;
const provider = { as: "anonymous", headers: { "x-better-auth-secret": webhookSecret } } as const;
const line = { offer_id: known.offer_id, quantity: 1 };
const orphan = { offer_id: unknownId, quantity: 1 };
const contact = { first_name: "Иван", last_name: "Петров", email: "a@example.com", phone: "+79780424666" };
const order = { status: "NEW", shipping_method: "SELF_PICKUP", ...contact };
const waybill = { waybill_type: "WAYBILL_OUT", is_pending: true };
const event = { id: unknownId, email: "a@example.com", first_name: "", last_name: "" };

/** Whom to ask as (the employee unless said otherwise), and the sentence of contract 1.11, 2 and 3. */
type Refusal = [status: number, request: string, detail: string, question?: Question];

const refusals: Refusal[] = [
  // 1.1
  [404, "GET /nothing", "Not Found"],
  [404, "POST /users/nothing/here", "Not Found"],
  [405, "PUT /categories", "Method Not Allowed"],
  [405, `DELETE /waybills/${known.waybill_id}/offers`, "Method Not Allowed"],
  // 1.12 and 2: who calls comes before what is asked
  [401, "GET /users/none", "Missing Authorization header", { as: "anonymous" }],
  [401, "GET /users", "Missing Authorization header", { as: "anonymous", headers: { authorization: "bearer x" } }],
  [401, "GET /users", "Malformed JWT header", { as: { token: "x" } }],
  [401, "GET /orders", "Malformed JWT header", { as: { token: "a.b.c" } }],
  [403, "PATCH /users/none", "Access denied: role USER is not allowed.", { as: "user" }],
  [403, "POST /waybills", "Access denied: role USER is not allowed.", { as: "user", body: { is_pending: "no" } }],
  [403, "DELETE /categories/none", "Access denied: role EMPLOYEE is not allowed."],
  [401, "POST /documents/price", "Not authenticated", { as: "anonymous" }],
  [401, "POST /mail/unknown", "Invalid credentials", { as: "anonymous", headers: { "api-key": "wrong" } }],
  [401, "POST /webhooks/better-auth", "Invalid webhook secret", { as: "anonymous", body: {} }],
  [400, "POST /webhooks/better-auth", "Invalid payload structure", { ...provider, body: { type: "user.created" } }],
  [
    400,
    "POST /webhooks/better-auth",
    "Invalid payload structure",
    { ...provider, body: { type: "user.left", data: event } },
  ],
  // 3.2, 3.3
  [404, `GET /users/${unknownId}`, "User not found"],
  [404, "GET /users/clerk/user_nobody", "User with clerk_id user_nobody not found."],
  [404, `PATCH /users/${unknownId}`, "Entity not found", { body: { city: "Ялта" } }],
  [404, `POST /balance/adjust/${unknownId}?delta=1&reason=OTHER`, `User ${unknownId} not found`, { as: "admin" }],
  // 3.4 to 3.7
  [404, `GET /categories/${unknownId}`, "Category not found"],
  [404, "GET /categories/slug/nothing", "Category not found"],
  [400, `PATCH /categories/${known.category_id}`, "No data provided for update", { headers: form }],
  [404, `DELETE /categories/${unknownId}`, "Category not found", { as: "admin" }],
  [404, `GET /sub-categories/${unknownId}`, "Sub Category not found"],
  [404, "GET /sub-categories/slug/nothing", "Sub Category not found"],
  [404, "GET /sub-categories?category_slug=nothing", "Category not found"],
  [400, `PATCH /sub-categories/${known.sub_category_id}`, "No data provided for update", { headers: form }],
  [404, `DELETE /sub-categories/${unknownId}`, "Sub Category not found", { as: "admin" }],
  [404, `GET /products/${unknownId}`, "Product not found"],
  [404, "GET /products/slug/nothing", "Product not found"],
  [404, "GET /products/bitrix/nothing", "Product not found"],
  [404, "GET /products?sub_category_slug=nothing", "SubCategory not found"],
  [400, `PATCH /products/${known.product_id}`, "No data provided for update", { headers: form }],
  [404, `DELETE /products/${unknownId}`, "Product not found", { as: "admin" }],
  [404, `GET /offers/${unknownId}`, "Offer not found"],
  [404, "GET /offers?product_slug=nothing", "Product not found"],
  [404, "GET /offers/meta/count?product_slug=nothing", "Product not found"],
  [404, `PATCH /offers/${unknownId}`, "Entity not found", { body: { brand: "a" } }],
  [400, `PATCH /offers/${known.offer_id}`, "No data provided for update", { body: { quantity: 5 } }],
  [404, `DELETE /offers/${unknownId}`, "Offer not found", { as: "admin" }],
  // 3.8
  [404, `GET /orders/${unknownId}`, `Order with id ${unknownId} not found.`, { as: "anonymous" }],
  [404, `GET /orders/${unknownId}/offers`, "Order not found"],
  [404, "POST /orders", "Offer not found", { as: "anonymous", body: { ...order, order_offers: [line, orphan] } }],
  [404, `POST /orders/${unknownId}/offers`, "Order not found", { body: line }],
  [404, `POST /orders/${known.order_id}/offers`, "Offer not found", { body: orphan }],
  [404, `POST /orders/${unknownId}/convert`, "Order not found"],
  [400, `POST /orders/${known.order_id}/convert`, "Order is already converted to a waybill"],
  [404, `PATCH /orders/${unknownId}`, "Entity not found", { body: { status: "NEW" } }],
  [400, `PATCH /orders/${known.order_id}`, "No data provided for update", { body: { total_sum: 1 } }],
  [404, `DELETE /orders/${unknownId}`, "Order not found", { as: "admin" }],
  [404, `PATCH /order-offers/${unknownId}`, "Entity not found", { body: { quantity: 1 } }],
  [404, `DELETE /order-offers/${unknownId}`, "Offer not found in order"],
  // 3.9
  [404, `GET /waybills/${unknownId}`, "Waybill not found"],
  [404, `GET /waybills/${unknownId}/offers`, "Waybill not found"],
  [404, "POST /waybills", "Offer not found", { body: { ...waybill, waybill_offers: [line, orphan] } }],
  [404, `PATCH /waybills/${unknownId}`, "Entity not found", { body: { note: "a" } }],
  [404, `POST /waybills/${unknownId}/commit`, "Waybill not found"],
  [404, `POST /waybills/${unknownId}/offers`, "Waybill not found", { body: line }],
  [404, `POST /waybills/${known.waybill_id}/offers`, "Offer not found", { body: orphan }],
  [404, `DELETE /waybills/${unknownId}`, "Waybill not found"],
  [404, `PATCH /waybill-offers/${unknownId}`, "Entity not found", { body: { quantity: 1 } }],
  [404, `DELETE /waybill-offers/${unknownId}`, "Offer not found in waybill"],
];

/** The complaint of contract 1.6, 1.7 and 1.11 about one value. */
interface Complaint {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
}

const tooSmall = (loc: Complaint["loc"], input: unknown): Complaint => ({
  ...{ type: "greater_than_equal", msg: "Input should be greater than or equal to 1", ctx: { ge: 1 }, loc, input },
});
const noInteger = (loc: Complaint["loc"], input: unknown): Complaint => ({
  ...{ type: "int_parsing", msg: "Input should be a valid integer, unable to parse string as an integer", loc, input },
});
const missing = (loc: Complaint["loc"], input: unknown): Complaint => ({
  ...{ type: "missing", msg: "Field required", loc, input },
});
const noChoice = (loc: Complaint["loc"], input: unknown, expected: string): Complaint => ({
  ...{ type: "enum", msg: `Input should be ${expected}`, ctx: { expected }, loc, input },
});
const noUuid = (loc: Complaint["loc"], input: unknown) => ({
  ...{ type: "uuid_parsing", msg: expect.stringMatching(/^Input should be a valid UUID, /), loc, input },
});
const tooLarge = { type: "less_than_equal", msg: "Input should be less than or equal to 500", ctx: { le: 500 } };
const noBoolean = { type: "bool_parsing", msg: "Input should be a valid boolean, unable to interpret input" };
const kinds = "'WAYBILL_IN', 'WAYBILL_OUT' or 'WAYBILL_RETURN'";
const json = { "content-type": "application/json" };

const complaints: [request: string, complaint: Complaint, question?: Question][] = [
  ["GET /products?size=0", tooSmall(["query", "size"], "0")],
  ["GET /offers?page=0", tooSmall(["query", "page"], "0")],
  ["GET /users?size=501", { ...tooLarge, loc: ["query", "size"], input: "501" }],
  ["GET /orders?size=abc", noInteger(["query", "size"], "abc")],
  ["GET /categories?size=", noInteger(["query", "size"], "")],
  ["GET /products?is_deleted=perhaps", { ...noBoolean, loc: ["query", "is_deleted"], input: "perhaps" }],
  ["GET /waybills?waybill_type=waybill_in", noChoice(["query", "waybill_type"], "waybill_in", kinds)],
  ["GET /products/search/fts", missing(["query", "search_term"], null)],
  ["GET /products/meta/facets/sub-categories", missing(["query", "category_id"], null)],
  ["GET /offers/by-ids", noUuid(["path", "offer_id"], "by-ids")],
  ["POST /offers/by-ids", noUuid(["body", 0], "x"), { body: ["x"] }],
  [
    "POST /offers/by-ids",
    { type: "list_type", msg: "Input should be a valid list", loc: ["body"], input: {} },
    { body: {} },
  ],
  [
    "POST /waybills",
    missing(["body", "is_pending"], { waybill_type: "WAYBILL_IN" }),
    { body: { waybill_type: "WAYBILL_IN" } },
  ],
  [
    `POST /orders/${known.order_id}/offers`,
    {
      type: "greater_than",
      msg: "Input should be greater than 0",
      ctx: { gt: 0 },
      loc: ["body", "quantity"],
      input: 0,
    },
    { body: { ...line, quantity: 0 } },
  ],
  [
    `PATCH /order-offers/${known.order_offer_id}`,
    {
      type: "int_from_float",
      msg: "Input should be a valid integer, got a number with a fractional part",
      loc: ["body", "quantity"],
      input: 1.5,
    },
    { body: { quantity: 1.5 } },
  ],
  [
    `PATCH /offers/${known.offer_id}`,
    {
      ...{ type: "string_too_short", msg: "String should have at least 1 character", ctx: { min_length: 1 } },
      ...{ loc: ["body", "brand"], input: "" },
    },
    { body: { brand: "" } },
  ],
  [
    `PATCH /offers/${known.offer_id}`,
    { type: "string_type", msg: "Input should be a valid string", loc: ["body", "brand"], input: 5 },
    { body: { brand: 5 } },
  ],
  [
    "POST /orders",
    { type: "value_error", msg: "value is not a valid phone number", loc: ["body", "phone"], input: "123" },
    { body: { ...order, phone: "123", order_offers: [] } },
  ],
  [
    "POST /orders",
    {
      ...{ type: "value_error", msg: expect.stringMatching(/^value is not a valid email address: /) },
      ...{ loc: ["body", "email"], input: "a@localhost", ctx: { reason: expect.any(String) } },
    },
    { body: { ...order, email: "a@localhost", order_offers: [] } },
  ],
  [
    "POST /mail/unknown",
    {
      ...{ type: "value_error", msg: expect.stringMatching(/^value is not a valid email address: /) },
      ...{ loc: ["path", "recipient"], input: "unknown", ctx: { reason: expect.any(String) } },
    },
    key,
  ],
  ["POST /orders", missing(["body"], null), { headers: json }],
];

describe.each(["", "/warehouse"])("under '%s/'", (base) => {
  const send = (request: string, question?: Question) => ask(request.replace(" ", ` ${base}`), question);

  test.each(refusals)("%i to %s: %s", async (status, request, detail, question) => {
    const answer = await send(request, question);
    expect(answer).toMatchObject({ status, body: { detail } });
    expect(answer.body).toEqual({ detail, message: detail, code: expect.any(String), request_id: expect.any(String) });
    expect(answer.headers.get("content-type")).toBe("application/json");
  });

  test.each(complaints)("422 to %s: %o", async (request, complaint, question) => {
    const { status, body, headers } = await send(request, question);
    expect({ status, detail: body.detail }).toEqual({ status: 422, detail: [complaint] });
    expect(Object.keys(body).sort()).toEqual(["code", "detail", "message", "request_id"]);
    expect(headers.get("content-type")).toBe("application/json");
  });

  test("422 to broken JSON, with the place where it breaks", async () => {
    const sent = await call(`${api.url}${base}/orders`, { method: "POST", headers: json, body: '{"status"}' });
    const ctx = { error: expect.any(String) };
    const complaint = { type: "json_invalid", loc: ["body", 9], msg: "JSON decode error", input: {}, ctx };
    expect([sent.status, sent.body.detail]).toEqual([422, [complaint]]);
  });
});
