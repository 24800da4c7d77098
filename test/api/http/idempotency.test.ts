import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineRoute } from "../../../src/api/http/define-route.ts";
import { line, uuid } from "../../../src/api/http/fields.ts";
import { getCategory } from "../../../src/services/catalogue/categories.ts";
import { call, objectKeys, sendCategory, stored, useApi } from "../../support/api.ts";
import { redPng } from "../../support/images.ts";
import { useRoutes } from "../../support/routes.ts";

const api = useApi({ relay: false });
/** What the next request does after its work and before its commit. */
let beforeCommit: () => Promise<void> = async () => undefined;
let runs = 0;

const routes = useRoutes(api, [
  defineRoute({
    method: "post",
    path: "/things",
    summary: "Makes one thing",
    tag: "Test",
    access: "optional",
    idempotent: true,
    body: z.object({ name: line(), note: line().optional() }),
    responses: { 201: z.unknown() },
    handle: (_context, { body, commit }) =>
      commit(async (tx) => {
        runs++;
        const values = [`${body.name} ${randomUUID()}`, randomUUID()];
        const [row] = await tx.query("INSERT INTO categories (name, slug) VALUES ($1, $2) RETURNING id, name", values);
        await beforeCommit();
        return { status: 201, body: row, headers: { location: `/things/${row.id}` } };
      }),
  }),
  defineRoute({
    method: "post",
    path: "/careless",
    summary: "Says that it keeps keys, and does not",
    tag: "Test",
    access: "public",
    idempotent: true,
    responses: { 200: z.unknown() },
    handle: async () => ({ status: 200, body: {} }),
  }),
]);

const things = async () => Number((await api.db.query("SELECT count(*) FROM categories"))[0].count);

function make(body: unknown, { key = "", token = "" }: { key?: string; token?: string } = {}) {
  const headers = {
    "content-type": "application/json",
    ...(key && { "idempotency-key": key }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  return call(`${routes.url}/things`, { method: "POST", headers, body: JSON.stringify(body) });
}

beforeEach(() => {
  beforeCommit = async () => undefined;
  runs = 0;
});

describe("a request with an Idempotency-Key", () => {
  test("is done once; a repetition gets the same status, body and headers", async () => {
    const before = await things();
    const first = await make({ name: "a" }, { key: "once" });
    const second = await make({ name: "a" }, { key: "once" });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("location")).toBe(first.headers.get("location"));
    expect([first, second].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
    expect(await things()).toBe(before + 1);
  });

  test("is done twice without a key", async () => {
    const before = await things();
    await make({ name: "b" });
    await make({ name: "b" });
    expect(await things()).toBe(before + 2);
  });

  test("is the same request whatever the order of its keys", async () => {
    const first = await make({ name: "c", note: "n" }, { key: "order" });
    const second = await make({ note: "n", name: "c" }, { key: "order" });
    expect(second.text).toBe(first.text);
  });

  test("is refused under a key that another body was sent with, and changes nothing", async () => {
    const token = api.tokens.user;
    await make({ name: "d" }, { key: "taken", token });
    const before = await things();
    const { status, body } = await make({ name: "e" }, { key: "taken", token });
    expect(status).toBe(422);
    expect(body.detail).toMatchObject([{ loc: ["header", "idempotency-key"], input: "taken" }]);
    expect(await things()).toBe(before);
  });

  test("of a guest is done, whatever strangers have sent under the same key", async () => {
    const before = await things();
    const stranger = await make({ name: "x" }, { key: "1" });
    const parallel = await Promise.all(["y", "z"].map((name) => make({ name }, { key: "1" })));
    expect([stranger, ...parallel].map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set([stranger, ...parallel].map(({ body }) => body.id)).size).toBe(3);
    expect(await things()).toBe(before + 3);
    // Each of them may still send his own again.
    expect((await make({ name: "y" }, { key: "1" })).text).toBe(parallel[0]?.text);
    expect(await things()).toBe(before + 3);
  });

  test("of another caller is another request", async () => {
    const mine = await make({ name: "f" }, { key: "shared" });
    const theirs = await make({ name: "f" }, { key: "shared", token: api.tokens.user });
    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test.each([
    ["empty", ""],
    ["two words", "two words"],
    ["too long", "x".repeat(256)],
  ])("is refused when the key is %s", async (_what, key) => {
    const headers = { "content-type": "application/json", "idempotency-key": key };
    const { status } = await call(`${routes.url}/things`, { method: "POST", headers, body: '{"name":"x"}' });
    expect(status).toBe(422);
  });

  test("runs its work once when fifty are sent at once, and all get one answer", async () => {
    const before = await things();
    const answers = await Promise.all(Array.from({ length: 50 }, () => make({ name: "g" }, { key: "parallel" })));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(await things()).toBe(before + 1);
  });

  test("may be sent again after it failed, because nothing was done", async () => {
    beforeCommit = async () => {
      throw new Error("the process dies here");
    };
    const before = await things();
    expect((await make({ name: "h" }, { key: "failed" })).status).toBe(500);
    expect(await things()).toBe(before);
    beforeCommit = async () => undefined;
    expect((await make({ name: "h" }, { key: "failed" })).status).toBe(201);
    expect(await things()).toBe(before + 1);
  });

  test("gets the stored answer when the first one was lost on the way", async () => {
    const gone = new AbortController();
    beforeCommit = async () => gone.abort();
    const before = await things();
    const headers = { "content-type": "application/json", "idempotency-key": "lost" };
    const init = { method: "POST", headers, body: '{"name":"i"}', signal: gone.signal };
    await expect(fetch(`${routes.url}/things`, init)).rejects.toThrow();
    await vi.waitFor(async () => expect(await things()).toBe(before + 1), 10_000);
    const again = await make({ name: "i" }, { key: "lost" });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.body.id).toBeTruthy();
    expect(await things()).toBe(before + 1);
  });

  test("is a new request when its key is seven days old; old keys vanish by themselves", async () => {
    const first = await make({ name: "j" }, { key: "old" });
    await make({ name: "j" }, { key: "older" });
    await api.db.query("UPDATE idempotency_key SET expires_at = now() - interval '1 s' WHERE key IN ('old', 'older')");
    const second = await make({ name: "j" }, { key: "old" });
    expect(second.body.id).not.toBe(first.body.id);
    const left = await api.db.query("SELECT key FROM idempotency_key WHERE expires_at < now()");
    expect(left).toEqual([]);
    const [{ days }] = await api.db.query(
      "SELECT extract(epoch FROM expires_at - now()) / 86400 AS days FROM idempotency_key WHERE key = 'old'",
    );
    expect(Number(days)).toBeCloseTo(7, 2);
  });

  test("never reaches a route that only says that it keeps keys", async () => {
    const init = { method: "POST", headers: { "idempotency-key": "careless" } };
    expect((await call(`${routes.url}/careless`, init)).status).toBe(500);
  });

  test("with a picture is told by the picture's bytes, and a repetition leaves no second upload", async () => {
    const image = await redPng(16, 16);
    const headers = { "idempotency-key": "picture" };
    const first = await sendCategory(api, { name: "Фото", image, headers });
    const after = await stored(api);
    const second = await sendCategory(api, { name: "Фото", image, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect(await stored(api)).toEqual(after);
    const other = await sendCategory(api, { name: "Фото", image: await redPng(17, 17), headers });
    expect(other.status).toBe(422);
    expect(await objectKeys(api.s3)).toEqual(after.objects);
  });
});

const reading = useRoutes(api, [
  defineRoute({
    method: "get",
    path: "/names/{id}",
    summary: "Reads",
    tag: "Test",
    access: "public",
    params: z.object({ id: uuid }),
    responses: { 200: z.unknown() },
    handle: async (_context, { params, reader }) => {
      const { id, name } = await getCategory(reader, params.id);
      return { status: 200, body: { id, name } };
    },
  }),
  defineRoute({
    method: "patch",
    path: "/names/{id}",
    summary: "Renames",
    tag: "Test",
    access: "public",
    params: z.object({ id: uuid }),
    body: z.object({ name: line() }),
    responses: { 200: z.unknown() },
    handle: (_context, { params, body, commit }) =>
      commit(async (tx) => {
        await beforeCommit();
        await tx.query("UPDATE categories SET name = $2 WHERE id = $1", [params.id, body.name]);
        return { status: 200, body: { id: params.id, name: body.name } };
      }),
  }),
]);

describe("a PATCH with If-Match", () => {
  async function setUp() {
    const { body } = await make({ name: "state" });
    const { headers } = await call(`${reading.url}/names/${body.id}`);
    return { id: body.id, etag: headers.get("etag") ?? "" };
  }
  const rename = (id: string, name: string, ifMatch?: string) =>
    call(`${reading.url}/names/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", ...(ifMatch && { "if-match": ifMatch }) },
      body: JSON.stringify({ name }),
    });
  const unique = () => `name ${randomUUID()}`;

  test("is done when the state is the one that was read", async () => {
    const { id, etag } = await setUp();
    expect((await rename(id, unique(), etag)).status).toBe(200);
  });

  test("is refused with 412 when the state has changed, and changes nothing", async () => {
    const { id, etag } = await setUp();
    const name = unique();
    await rename(id, name);
    const { status, body } = await rename(id, unique(), etag);
    expect([status, body.detail]).toEqual([412, expect.stringContaining("read it again")]);
    expect((await call(`${reading.url}/names/${id}`)).body.name).toBe(name);
  });

  test("is done without the header, and with a star", async () => {
    const { id } = await setUp();
    expect((await rename(id, unique())).status).toBe(200);
    expect((await rename(id, unique(), "*")).status).toBe(200);
    expect((await rename(id, unique(), '"x", "y"')).status).toBe(412);
  });

  test("is refused where nothing has an ETag that could be compared", async () => {
    const change = (path: string, headers: Record<string, string>) =>
      call(api.url + path, {
        method: "PATCH",
        headers: { "content-type": "application/json", authorization: `Bearer ${api.tokens.employee}`, ...headers },
        body: JSON.stringify({ quantity: 1 }),
      });
    for (const lines of ["cart/offers", "order-offers", "waybill-offers"]) {
      const path = `/${lines}/${randomUUID()}`;
      expect((await change(path, { "if-match": '"x"' })).status, path).toBe(412);
      expect((await change(path, { "if-match": "*" })).status, path).toBe(404);
      expect((await change(path, {})).status, path).toBe(404);
    }
  });

  test("loses no change that happens between its check and its work", async () => {
    const { id, etag } = await setUp();
    const name = unique();
    beforeCommit = async () => {
      beforeCommit = async () => undefined;
      await api.db.query("UPDATE categories SET name = $2 WHERE id = $1", [id, name]);
    };
    expect((await rename(id, unique(), etag)).status).toBe(412);
    expect((await call(`${reading.url}/names/${id}`)).body.name).toBe(name);
  });

  test("of two at once one is done", async () => {
    const { id, etag } = await setUp();
    const answers = await Promise.all(Array.from({ length: 8 }, () => rename(id, unique(), etag)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)]);
    expect(runs).toBe(1);
  });
});
