import { appRoutes } from "@bull-board/api/dist/routes.js";
import { beforeAll, describe, expect, test } from "vitest";
import { presses, pressOf } from "../../../src/api/board/presses.ts";
import { User } from "../../../src/db/entities/accounts/user.ts";
import { isAtLeast, ranks, rightTo } from "../../../src/services/operations/job-rights.ts";
import { call, useApi, userIds } from "../../support/api.ts";

const board = "/admin/queues";
const proxy = "x-auth-request-email";

/** Every route of the board and of our pages beside it; a new one has no line in `presses` until a person decides. */
const reading = appRoutes.api.filter(({ method }) => method === "get").map(({ route }) => [route].flat()[0] ?? "");
const changing = appRoutes.api
  .filter(({ method }) => method !== "get")
  .flatMap(({ method, route }) => [method].flat().map((one) => `${one} ${[route].flat()[0]}`));

test("every route by which the board changes something has a line that says what it does", () => {
  expect(changing.filter((route) => !(route in presses))).toEqual([]);
  expect(changing.length).toBeGreaterThan(20);
});

test("a route that no line is about takes an admin and a reason", () => {
  expect(pressOf("DELETE", "/api/queues/images")).toEqual({ act: "clear" });
  expect(pressOf("PUT", "/api/queues/images/empty/")).toEqual({ act: "clear" });
  expect(rightTo("clear", "", false)).toEqual({ minRank: "admin", needsReason: true });
});

test("a route with more words wins over one with more blanks", () => {
  expect(pressOf("PUT", "/api/queues/pause")).toEqual({ act: "pause-queue" });
  expect(pressOf("PUT", "/api/queues/images/rate-limit/release")).toEqual({ act: "release-queue" });
  expect(pressOf("PUT", "/api/queues/images/clean/failed")).toEqual({ act: "clear" });
});

describe("who may do what", () => {
  const operator = "operator@test.example";
  const api = useApi({
    relay: false,
    operators: [operator],
    board: {
      identity: { header: proxy, from: (address) => address === "127.0.0.1" || address === "::ffff:127.0.0.1" },
    },
  });
  // An employee who may press what does no harm.
  const operatorId = "6b1f5f6e-7b61-4e51-8a1a-6a4f6f7f0d01";
  beforeAll(async () => {
    await api.db.manager.insert(User, {
      ...{ id: operatorId, email: "Operator@test.example", firstName: "О", lastName: "П", role: "EMPLOYEE" },
    });
  });

  type Who = "anonymous" | "user" | "employee" | "operator" | "admin" | "inactive";
  const headersOf = (who: Who): Record<string, string> => {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    if (who === "anonymous") return {};
    // Named by a proxy: the page's own token has to be sent as well.
    if (who === "operator")
      return {
        [proxy]: "OPERATOR@test.example",
        "x-xsrf-token": api.context.secrets.csrfToken(`named ${operator}`),
      };
    return bearer(api.tokens[who]);
  };
  const pathOf = (route: string) =>
    route
      .replace(":queueName", "webhooks")
      .replace(":queueStatus", "failed")
      .replace(":jobId", "none")
      .replace(":schedulerId", "none");
  const send = (method: string, path: string, headers: Record<string, string>) =>
    call(`${api.url}${board}${path}`, {
      method: method.toUpperCase(),
      headers: { ...headers, ...(method !== "get" && { "content-type": "application/json", "x-reason": "table" }) },
      ...(method !== "get" && { body: "{}" }),
    });

  const callers: Who[] = ["anonymous", "user", "inactive", "employee", "operator", "admin"];
  const refusals: Partial<Record<Who, number>> = { anonymous: 401, user: 403, inactive: 403 };

  const hiddenFrom: Record<string, Who[]> = {
    "/api/redis/stats": ["employee", "operator"],
    "/api/queues/:queueName/workers": ["employee", "operator", "admin"],
  };

  describe.each(callers)("%s", (who) => {
    test.each(reading.filter((route) => route.startsWith("/api/")))("reading %s", async (route) => {
      const { status } = await send("get", pathOf(route), headersOf(who));
      const refused = refusals[who];
      if (refused) expect(status).toBe(refused);
      else if (hiddenFrom[route]?.includes(who)) expect(status).toBe(403);
      else expect(status).not.toBeOneOf([401, 403, 500]);
    });

    test.each(Object.keys(presses))("pressing %s", async (route) => {
      const [method = "", path = ""] = route.split(" ");
      const { status, body } = await send(method, pathOf(path), headersOf(who));
      const refused = refusals[who];
      if (refused) return expect(status).toBe(refused);
      const rank = who as (typeof ranks)[number];
      const press = presses[route];
      expect(status).toBeLessThan(500);
      // Whose page it is asks about the job, and there is none here.
      if (!press || press === "no act" || press.isOfPage) return;
      const { minRank = "admin" } = rightTo(press.act, "", false) ?? {};
      const sentence = `Access denied: '${press.act}' requires the rank ${minRank} here; yours is ${rank}.`;
      if (isAtLeast(rank, minRank)) expect(body.message).not.toBe(sentence);
      else expect([status, body.message]).toEqual([403, sentence]);
    });
  });

  test("a proxy cannot name a user who does not exist, or open the board to a customer", async () => {
    const named = (email: string) => send("get", "/api/queues", { [proxy]: email });
    expect((await named("unknown@test.example")).status).toBe(401);
    expect((await named(operator)).status).toBe(200);
    await api.db.manager.update(User, { id: operatorId }, { role: "USER" });
    expect((await named(operator)).status).toBe(403);
    await api.db.manager.update(User, { id: operatorId }, { role: "EMPLOYEE" });
  });
});

describe("a header of another user's", () => {
  const api = useApi({ relay: false, board: { identity: { header: proxy, from: () => false } } });

  test("refuses every request", async () => {
    const { email } = await api.db.manager.findOneByOrFail(User, { id: userIds.admin });
    expect((await call(`${api.url}${board}/api/queues`, { headers: { [proxy]: email } })).status).toBe(401);
  });
});

test("ranks are in order", () => {
  expect(ranks.map((one) => ranks.filter((minRank) => isAtLeast(one, minRank)).length)).toEqual([1, 2, 3, 4]);
});
