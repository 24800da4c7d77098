import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createRightWatch } from "../../../src/api/http/right-watch.ts";
import type { Route } from "../../../src/api/http/types.ts";
import { routes } from "../../../src/api/routes/index.ts";
import { users } from "../../../src/db/dao/accounts/users.ts";
import { call, objectKeys, useApi } from "../../support/api.ts";
import { addBusiness, known } from "../../support/business.ts";
import { redPng } from "../../support/images.ts";
import { readDocument } from "../../support/open-api-document.ts";
import { sampleBody, samplePath, unknownId } from "../../support/sample-request.ts";
import { addUser } from "../../support/users.ts";

// Jobs are never published, so whatever waits for one waits.
const api = useApi({ relay: false, heartbeatMs: 100 });
const { operations, follow } = readDocument(routes);
const nameOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;
/** A write with a picture waits as well, and answers what it has written whatever became of its caller. */
const [waiting, writes] = [false, true].map((isWrite) =>
  routes.filter(({ waits, image }) => waits && Boolean(image) === isWrite),
) as [Route[], Route[]];
/** Without a token there is no user whose right could be lost. */
const withoutPerson = ["public", "api-key", "webhook"];
const watched = waiting.filter(({ access }) => !withoutPerson.includes(access));

beforeAll(() => addBusiness(api.db));
beforeEach(() => vi.waitFor(() => expect(api.context.rights.count()).toBe(0), 10_000));

/** An employee of its own, who may call each of these routes. */
async function employee(expires?: string) {
  const { id } = await addUser(api.db, { role: "EMPLOYEE" });
  return { id, token: await api.identity.token(id, expires ? { expires } : {}) };
}

async function send(route: Route, base: string, token: string) {
  const operation = operations.find(({ name }) => name === nameOf(route));
  if (!operation) throw new Error(`The OpenAPI document lacks '${nameOf(route)}'`);
  const wanted = { kind: "order", format: "docx", parameters: { id: known.order_id } };
  const isOrdered = nameOf(route) === "POST /documents";
  const json = { body: JSON.stringify(wanted), headers: { "content-type": "application/json" } };
  const { body, headers } = isOrdered ? json : await sampleBody(operation, follow);
  const {
    status,
    body: answer,
    text,
  } = await call(`${api.url}${base}${samplePath(operation, follow)}`, {
    method: operation.method,
    headers: { ...headers, authorization: `Bearer ${token}`, prefer: "wait=60" },
    ...(body && { body }),
  });
  return { status, detail: answer.detail, text };
}

const isWatched = (count = 1) => vi.waitFor(() => expect(api.context.rights.count()).toBe(count), 10_000);
const change = (id: string, values: string) => api.db.query(`UPDATE users SET ${values} WHERE id = $1`, [id]);

/** Ways to lose the right, and what is said then. */
const losses: [string, string | undefined, (id: string) => Promise<unknown>, number, string][] = [
  [
    "is deactivated",
    undefined,
    (id) => change(id, "is_active = false"),
    403,
    "Access denied: this account is deactivated.",
  ],
  [
    "gets another role",
    undefined,
    (id) => change(id, "role = 'USER'"),
    403,
    "Access denied: your role is USER now; send the request again.",
  ],
  ["has a token that expires", "3s", async () => undefined, 401, "Token expired"],
];

test("those routes wait that are known to", () => {
  expect(waiting.map(nameOf).sort()).toEqual([
    "GET /integrations/yml",
    "GET /integrations/yml/file",
    "GET /jobs/{job_id}",
    "GET /jobs/{job_id}/events",
    "GET /print/orders/{order_id}",
    "GET /print/price",
    "GET /print/prices",
    "GET /print/waybills/{waybill_id}",
    "POST /documents",
    "POST /documents/price",
  ]);
});

describe.each(watched.map((route) => [nameOf(route), route] as const))("%s", (_name, route) => {
  const isStream = route.path.endsWith("/events");

  test.each(losses)("ends for who %s, under both profiles", { timeout: 30_000 }, async (...loss) => {
    const [, expires, lose, status, detail] = loss;
    // Both at once, as a token takes its seconds to expire.
    const profiles = ["", "/warehouse"];
    const people = await Promise.all(profiles.map(() => employee(expires)));
    const answers = people.map(({ token }, n) => send(route, profiles[n] ?? "", token));
    await isWatched(profiles.length);
    for (const { id } of people) await lose(id);
    for (const said of await Promise.all(answers)) {
      if (!isStream) {
        expect(said).toMatchObject({ status, detail });
        continue;
      }
      expect([said.status, said.text]).toEqual([200, expect.stringContaining("event: job")]);
      expect(said.text).not.toContain("event: end");
    }
  });
});

test("each write with a picture may wait for it", () => {
  expect(writes.map(nameOf).sort()).toEqual(
    ["categories/{category_id}", "offers/{offer_id}", "products/{product_id}", "sub-categories/{sub_category_id}"]
      .flatMap((path) => [`PATCH /${path}`, `POST /${path.split("/")[0]}`])
      .sort(),
  );
});

test("a write whose caller loses the right while its picture is made stands, and says so at once", async () => {
  const { id, token } = await employee();
  const body = new FormData();
  body.set("name", `Lost ${id}`);
  body.set("image_blob", new Blob([new Uint8Array(await redPng())]), "p.png");
  const headers = { authorization: `Bearer ${token}`, prefer: "wait=60" };
  const answer = call(`${api.url}/categories`, { method: "POST", headers, body });
  await isWatched();
  await change(id, "role = 'USER'");
  const said = await answer;
  expect([said.status, said.headers.get("preference-applied")]).toEqual([201, null]);
  const [{ key } = { key: "" }] = await api.db.query(
    "SELECT i.staged_key AS key FROM images i JOIN categories c ON c.image_id = i.id WHERE c.id = $1",
    [said.body.id],
  );
  expect(await objectKeys(api.s3)).toContain(key);
});

test("a caller who leaves is watched no more", async () => {
  const { token } = await employee();
  const leave = new AbortController();
  const url = `${api.url}/jobs/${known.job_id}/events`;
  const { body } = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: leave.signal });
  await isWatched();
  leave.abort();
  await body?.cancel().catch(() => undefined);
  await vi.waitFor(() => expect(api.context.rights.count()).toBe(0), 10_000);
});

test("a heartbeat costs one statement, however many connections there are", async () => {
  const people = [await employee(), await employee()];
  const leave = new AbortController();
  const url = `${api.url}/jobs/${known.job_id}/events`;
  const open = people.flatMap(({ token }) =>
    Array.from({ length: 8 }, () =>
      fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: leave.signal }),
    ),
  );
  const streams = await Promise.all(open);
  await isWatched(16);
  const looks = vi.spyOn(users, "rights");
  await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(3), 10_000);
  for (const [, ids] of looks.mock.calls) expect(ids.toSorted()).toEqual(people.map(({ id }) => id).toSorted());
  looks.mockRestore();
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
  leave.abort();
  for (const { body } of streams) await body?.cancel().catch(() => undefined);
});

test("an outage of Postgres costs no user a right, and the check is repeated", async () => {
  const { id } = await employee();
  const rights = createRightWatch(api.db, 20);
  const looks = vi.spyOn(users, "rights").mockRejectedValue(new Error("connection refused"));
  const { lost, stop } = rights.watch({ id, role: "EMPLOYEE" });
  await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(2), 10_000);
  expect(lost.aborted).toBe(false);
  looks.mockRestore();
  await change(id, "is_active = false");
  await vi.waitFor(() => expect(lost.reason).toMatchObject({ code: "forbidden" }), 10_000);
  stop();
});

test("a user who was deleted is not admitted any more", async () => {
  const { lost, stop } = createRightWatch(api.db, 20).watch({ id: unknownId, role: "USER" });
  await vi.waitFor(() => expect(lost.reason).toMatchObject({ code: "unauthorized" }), 10_000);
  stop();
});
