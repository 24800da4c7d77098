import { beforeAll, describe, expect, test } from "vitest";
import type { Route } from "../../../src/api/http/types.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { type Admission, accessTable, admissions, type Caller, callers } from "../../support/access-table.ts";
import { apiKey, call, objectKeys, useApi, userIds, webhookSecret } from "../../support/api.ts";
import { addBusiness } from "../../support/business.ts";
import { fingerprint } from "../../support/fingerprint.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { sampleBody, samplePath, unknownId } from "../../support/sample-request.ts";

const printerAddress = "192.0.2.10";
const otherId = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d05";
const documentId = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d06";
const { operations, follow } = readDocument(routes);
const nameOf = ({ method, path }: Pick<Route, "method" | "path">) => `${method.toUpperCase()} ${path}`;
/** `GET /orders/{}`: what a parameter is called has no meaning. */
const nameless = (name: string) => name.replaceAll(/\{\w+\}/g, "{}");
const admissionOf = new Map(Object.entries(accessTable).map(([name, admission]) => [nameless(name), admission]));

const operatorId = "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d07";
const api = useApi({
  relay: false,
  operators: ["operator@test.example"],
  printers: [`${printerAddress}/32`],
  trustProxy: 1,
});
const headersOf = {} as Record<Caller, Record<string, string>>;

beforeAll(async () => {
  await addBusiness(api.db);
  // The events of a job that goes on would never end.
  await api.db.query("UPDATE job SET state = 'succeeded', finished_at = now()");
  await api.db.query(
    "INSERT INTO users (id, email, first_name, last_name) VALUES ($1, 'other@test.example', 'Other', 'Test')",
    [otherId],
  );
  await api.db.query(
    `INSERT INTO users (id, email, first_name, last_name, role)
     VALUES ($1, 'Operator@test.example', 'Operator', 'Test', 'EMPLOYEE')`,
    [operatorId],
  );
  await api.db.query(
    "INSERT INTO documents (id, kind, format, file_name, requested_by) VALUES ($1, 'order', 'pdf', 'a.pdf', $2)",
    [documentId, userIds.user],
  );
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const { user, employee, admin, inactive } = api.tokens;
  Object.assign(headersOf, {
    anonymous: {},
    user: bearer(user),
    other: bearer(await api.identity.token(otherId)),
    employee: bearer(employee),
    operator: bearer(await api.identity.token(operatorId)),
    admin: bearer(admin),
    inactive: bearer(inactive),
    expired: bearer(await api.identity.token(userIds.admin, { expires: "-5m" })),
    "api-key": { "api-key": apiKey },
    "wrong-key": { "api-key": `${apiKey.slice(0, -1)}!` },
    provider: { "x-better-auth-secret": webhookSecret },
    "wrong-provider": { "x-better-auth-secret": `${webhookSecret.slice(0, -1)}!` },
    printer: { "x-forwarded-for": printerAddress },
  } satisfies Record<Caller, Record<string, string>>);
});

describe("the table of who may call what", () => {
  test("has a line for each route", () => {
    const missing = routes.map(nameOf).filter((name) => !admissionOf.has(nameless(name)));
    expect(missing, "routes without a line in test/support/access-table.ts; they were not tried").toEqual([]);
  });

  test("has no line for what is no route", () => {
    const known = new Set(routes.map((route) => nameless(nameOf(route))));
    expect(Object.keys(accessTable).filter((name) => !known.has(nameless(name)))).toEqual([]);
  });
});

// A route without a line would be tried by a wrong one.
const lines = routes.flatMap((route) => {
  const name = nameOf(route);
  const admission = admissionOf.get(nameless(name));
  return admission ? [[name, route, admission] as const] : [];
});

describe.each(lines)("%s", (name, route, admission) => {
  const admitted: readonly Caller[] = admissions[admission];
  const operation = operations.find((one) => one.name === name);
  if (!operation) throw new Error(`The OpenAPI document lacks '${name}'`);

  const send = async (caller: Caller, base: string, path: string, withBody: boolean) => {
    const { body, headers } = withBody ? await sampleBody(operation, follow) : {};
    // An admitted caller should not have to wait for a document.
    const init = { prefer: "respond-async, wait=0", ...headers, ...headersOf[caller] };
    return call(`${api.url}${base}${path}`, { method: operation.method, headers: init, ...(body && { body }) });
  };

  test.each(["", "/warehouse"])(`is refused under '%s/' to all but ${admission}, and nothing happens`, async (base) => {
    const state = async () => [await fingerprint(api.db), await objectKeys(api.s3)];
    const before = await state();
    for (const caller of callers.filter((one) => !admitted.includes(one))) {
      const answer = await send(caller, base, samplePath(operation, follow), true);
      const { status, body, headers } = answer;
      const shown = { status, detail: body.detail, way: headers.get("www-authenticate"), message: body.message };
      expect({ caller, ...shown }).toEqual({ caller, ...refusal(caller, admission, route), message: body.detail });
    }
    expect(await state()).toEqual(before);
  });

  // What is open to all users is theirs alone where it has an id.
  const theirs = admission === "users" ? ["", "/warehouse"].filter(() => /\{\w*id\}/.test(route.path)) : [];
  test.each(theirs)("is nothing at all to another user under '%s/', and nothing happens", async (base) => {
    const before = await fingerprint(api.db);
    const ids = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, id]) => id ?? "");
    const ask = async (path: string) => {
      const { status, body } = await send("other", base, path, true);
      return { status, detail: String(body.detail).replaceAll(/[0-9a-f-]{36}/g, "id") };
    };
    const owned = await ask(samplePath(operation, follow, { document_id: documentId }));
    const missing = await ask(samplePath(operation, follow, Object.fromEntries(ids.map((id) => [id, unknownId]))));
    expect(owned).toEqual(missing);
    expect(owned.status).toBe(404);
    expect(await fingerprint(api.db)).toEqual(before);
  });

  test.each(["", "/warehouse"])(`is open under '%s/' to ${admission}`, async (base) => {
    // What changes things is aimed at nothing: the next caller should find it unchanged.
    const ids = Object.fromEntries([...route.path.matchAll(/\{(\w+)\}/g)].map(([, id]) => [id ?? "", unknownId]));
    const isHarmless = route.method === "get";
    const path = samplePath(operation, follow, isHarmless ? {} : ids);
    for (const caller of admitted) {
      const { status } = await send(caller, base, path, false);
      expect({ caller, isRefused: status === 401 || status === 403, status }).toMatchObject({ isRefused: false });
      expect(status, caller).toBeLessThan(500);
    }
  });
});

/** What contract 1.11 and 2.1 to 2.6 answer to a caller who is not admitted. */
function refusal(caller: Caller, admission: Admission, { act, access }: Route) {
  if (admission === "the identity provider") return no("Invalid webhook secret", "Webhook");
  if (admission === "programs") {
    return caller === "wrong-key" ? no("Invalid credentials", "Bearer") : no("Not authenticated", "APIKey");
  }
  if (caller === "expired") return no("Token expired", "Bearer");
  if (caller === "inactive") return forbidden("this account is deactivated.");
  if (caller === "user" || caller === "other") {
    // The contract has no words for what belongs to another user.
    if (admission === "its owner and staff") return { status: 403, detail: expect.any(String), way: null };
    return forbidden("role USER is not allowed.");
  }
  // No existing front end steers jobs, so the contract has no words for it.
  if (act && access !== "ADMIN" && (caller === "employee" || caller === "operator"))
    return forbidden(`'${act.act}' requires the rank ${admission.slice(0, -1)} here; yours is ${caller}.`);
  if (caller === "employee" || caller === "operator") return forbidden("role EMPLOYEE is not allowed.");
  return no("Missing Authorization header", "Bearer");
}

const no = (detail: string, way: string) => ({ status: 401, detail, way });
const forbidden = (why: string) => ({ status: 403, detail: `Access denied: ${why}`, way: null });
