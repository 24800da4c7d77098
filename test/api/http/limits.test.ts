import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { call, sendCategory, useApi, userIds } from "../../support/api.ts";
import { redPng } from "../../support/images.ts";
import { addUser } from "../../support/users.ts";

const minute = (points: number) => ({ points, seconds: 60 });
const api = useApi({
  relay: false,
  trustProxy: 1,
  exempt: ["10.1.0.0/16", "2001:db8:aa::/48"],
  limits: { anonymous: minute(5), user: minute(3), credentials: minute(4), uploads: minute(1) },
});

/** As if a proxy in front had seen the request come from there. */
const from = (address: string, init: RequestInit = {}, path = "/categories") =>
  call(api.url + path, { ...init, headers: { ...init.headers, "x-forwarded-for": address } });
const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

async function inTurn(times: number, send: (turn: number) => ReturnType<typeof call>) {
  const answers = [];
  for (let turn = 0; turn < times; turn++) answers.push(await send(turn));
  return answers;
}

describe("limits", () => {
  test("an address may send so many requests without a token, then 429 says when to come back", async () => {
    const answers = await inTurn(6, () => from("192.0.2.1"));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers[0]?.headers.get("ratelimit-policy")).toBe('"anonymous";q=5;w=60');
    expect(answers[0]?.headers.get("ratelimit")).toMatch(/^"anonymous";r=4;t=\d+$/);
    const last = answers[5];
    expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(last?.body).toMatchObject({ code: "too_many_requests", detail: expect.stringContaining("try again in") });
    expect(statuses([await from("192.0.2.2")])).toEqual([200]);
  });

  test("what a client writes into X-Forwarded-For itself changes nothing", async () => {
    const answers = await inTurn(6, (turn) => from(`203.0.113.${turn}, 192.0.2.3`));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test("all addresses of one IPv6 client count together", async () => {
    const answers = await inTurn(6, (turn) => from(`2001:db8:1:2::${turn + 1}`));
    expect(answers.at(-1)?.status).toBe(429);
    expect((await from("2001:db8:1:3::1")).status).toBe(200);
  });

  test.each(["10.1.2.3", "::ffff:10.1.2.3", "2001:db8:aa::7"])(
    "there is none for the front end at %s",
    async (address) => {
      const answers = await inTurn(8, () => from(address));
      expect(new Set(statuses(answers))).toEqual(new Set([200]));
      expect(answers[0]?.headers.get("ratelimit")).toBeNull();
    },
  );

  test("a user has a limit of his own, wherever he sends from", async () => {
    const path = `/jobs/${randomUUID()}`;
    const answers = await inTurn(4, (turn) => from(`198.51.100.${turn}`, as(api.tokens.user), path));
    expect(statuses(answers)).toEqual([404, 404, 404, 429]);
    expect((await from("198.51.100.9", as(api.tokens.admin), path)).status).toBe(404);
  });

  test("an address with too many wrong tokens gets 429 for those, and nothing else of it is refused", async () => {
    const path = `/jobs/${randomUUID()}`;
    const answers = await inTurn(5, () => from("192.0.2.50", as("wrong"), path));
    expect(statuses(answers)).toEqual([401, 401, 401, 401, 429]);
    expect((await from("192.0.2.50", as(await api.identity.token(userIds.employee)), path)).status).toBe(404);
  });

  test("a request without any credentials is no wrong one", async () => {
    const answers = await inTurn(6, () => from("192.0.2.60", {}, `/jobs/${randomUUID()}`));
    expect(statuses(answers)).toEqual([401, 401, 401, 401, 401, 429]);
    expect(answers[0]?.headers.get("ratelimit")).toMatch(/^"anonymous";r=4;t=\d+$/);
  });

  test("requests that a caller has no right to count as others do", async () => {
    const token = await api.identity.token((await addUser(api.db)).id);
    const refused = await inTurn(4, (turn) => from(`198.51.100.${turn}`, as(token), "/users"));
    expect(statuses(refused)).toEqual([403, 403, 403, 429]);
    const inactive = await inTurn(6, () => from("192.0.2.61", as(api.tokens.inactive), `/jobs/${randomUUID()}`));
    expect(statuses(inactive)).toEqual([403, 403, 403, 403, 403, 429]);
  });

  test("uploads of one user are counted by the day, and a refused one is entered in the audit log", async () => {
    const image = await redPng();
    const answers = await inTurn(2, (turn) => sendCategory(api, { name: `Шины ${turn}`, image }));
    expect(statuses(answers)).toEqual([201, 429]);
    const rows = await api.db.query("SELECT status FROM audit_log ORDER BY created_at");
    expect(rows.map(({ status }: { status: number }) => status)).toEqual([201, 429]);
  });
});
