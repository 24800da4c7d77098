import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { request as send } from "node:http";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { presses } from "../../../../src/api/board/presses.ts";
import { routes } from "../../../../src/api/routes/index.ts";
import { auditLog } from "../../../../src/db/dao/audit/audit-log.ts";
import { erasePerson } from "../../../../src/jobs/erase-person.ts";
import { requestErasure } from "../../../../src/services/privacy/erasures.ts";
import type { WorkerContext } from "../../../../src/workers/context.ts";
import { erasePersonProcessor } from "../../../../src/workers/processors/erase-person.ts";
import { useApi, userIds } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { readAs } from "../../../support/clients/client-call.ts";
import { storefrontSchemas } from "../../../support/clients/storefront.ts";
import { warehouseCalls } from "../../../support/clients/warehouse.ts";
import { startRun } from "../../../support/job-run.ts";
import { operators, usePeople } from "../../../support/rights.ts";
import { runTcf } from "../../../support/tcf.ts";
import { addUser } from "../../../support/users.ts";

const api = useApi({ relay: false, operators });
const people = usePeople(api);
const ask = asker(api);
const board = "/admin/queues";
/** What a URI cannot have, what no address should have, and more than fits. */
const oddQuery = `?a[b]=%zz&token=hunter2&csrf=hunter2&d={x}|y^\`&x=${"я".repeat(500)}`;

beforeAll(async () => {
  await api.db.query("DELETE FROM audit_log");
});
afterEach(everyRowCanBeRead);

const rowsInAll = async () => (await api.db.query("SELECT count(*)::int AS rows FROM audit_log"))[0].rows as number;

/** All rows, as both front ends would read them; the storefront has no audit log, but users. */
async function everyRowCanBeRead() {
  const rows = await rowsInAll();
  for (let page = 1; (page - 1) * 300 < rows; page++) {
    const query = `/audit-log?size=300&page=${page}`;
    const { body } = await ask(`GET /warehouse${query}`, { as: { token: await people.operator.token() } });
    readAs(warehouseCalls.W39, body);
    const shop = await ask<{ items: { user: unknown }[] }>(`GET ${query}`, {
      as: { token: await people.operator.token() },
    });
    for (const { user } of shop.body.items) storefrontSchemas.User.parse(user);
    expect(JSON.stringify(body)).not.toContain("hunter2");
  }
  return rows;
}

const rowsOf = async (requestId: string | null) =>
  (await api.db.query("SELECT method, endpoint, status FROM audit_log WHERE request_id = $1", [requestId])) as {
    method: string;
    endpoint: string;
    status: number;
  }[];

/** A way by which rows come into the log, by the file that does it; each leaves at least one. */
const writers: Record<string, () => Promise<unknown>> = {
  async "src/api/http/audit-staff.ts"() {
    for (const root of ["", "/warehouse"]) {
      const own = `${root}/users/${userIds.user}`;
      await ask(`PATCH ${own}${oddQuery}`, { body: { city: "Ялта", first_name: "Анна" } });
      await ask(`PATCH ${own}`, { body: [{ city: 5 }, "\u0000\ud800"] });
      await ask(`PATCH ${own}`, { body: { note: "x".repeat(200_000) } });
      await ask(`PUT ${root}/queues/mail/pause`, { as: "admin", body: { reason: "a test" } });
      await ask(`DELETE ${root}/queues/mail/pause`, { as: "admin" });
      await ask(`POST ${root}/balance/adjust/${userIds.user}?delta=1&reason=OTHER`, { as: "admin" });
    }
  },

  async "src/api/board/audit-when-done.ts"() {
    for (const route of Object.keys(presses)) {
      const [method = "", path = ""] = route.split(" ");
      const filled = path.replace(":queueName", "webhooks").replaceAll(/:\w+/g, "none");
      for (const body of [{}, [1], { erasure: "1", erased_links: { 1: "x" } }]) {
        await ask(`${method.toUpperCase()} ${board}${filled}${oddQuery}`, {
          as: "admin",
          body,
          headers: { "x-reason": encodeURIComponent("Почему?") },
        });
      }
    }
    await vi.waitFor(async () => {
      const rows = await api.db.query("SELECT 1 FROM audit_log WHERE endpoint LIKE '%/admin/queues/%'");
      expect(rows.length).toBe(Object.keys(presses).length * 3);
    }, 20_000);
  },

  async "src/cli/act-as.ts"() {
    const as = ["--as", people.admin.email];
    for (const words of [
      ["queues", "weigh", "mail", "группа [1] 100%", "2"],
      ["queues", "resume", "mail"],
    ])
      expect((await runTcf(api, operators, [...as, ...words])).code).toBe(0);
    const unknown = ["jobs", "cancel", "6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d99", "--reason", "a test"];
    expect((await runTcf(api, operators, [...as, ...unknown])).code).toBe(1);
  },

  async "src/services/privacy/erasures.ts"() {
    const { id } = await addUser(api.db);
    await ask(`PATCH /users/${id}`, { body: { city: "Ялта" } });
    await erase(id);
  },
};

/** Erases an account, all of it. */
async function erase(userId: string) {
  const endpoint = `https://api.test/users/${userId}/erasure`;
  const jobId = await api.db.transaction((tx) =>
    requestErasure(tx, userId, { reason: "Asked", requestedBy: userIds.admin, endpoint }),
  );
  const [{ payload }] = await api.db.query("SELECT payload FROM job WHERE id = $1", [jobId]);
  const { run, find } = await startRun(api.db, erasePerson, payload);
  const context = { db: api.db, log: api.log, store: api.context.store } as unknown as WorkerContext;
  await erasePersonProcessor.run(run, context);
  expect(await find()).toMatchObject({ state: "succeeded" });
}

test("this file knows every file that writes into the audit log", () => {
  const writes =
    /auditLog\.(insert|append|eraseContent)\(|(record|append)(Audit|Chained)\(|INTO audit_log|\((AuditEntry|"audit_log")\b/;
  const ways = ["src/services/audit/audit.ts", "src/db/dao/audit/audit-log.ts", "src/db/data-source.ts"];
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name}`)
    .filter((name) => name.endsWith(".ts") && writes.test(readFileSync(name, "utf8")));
  expect(files.filter((name) => !ways.includes(name)).sort()).toEqual(Object.keys(writers).sort());
});

describe("each row can be read by the front ends", () => {
  test.each(Object.entries(writers))("that %s writes", { timeout: 60_000 }, async (_file, write) => {
    const before = await rowsInAll();
    await write();
    expect(await everyRowCanBeRead()).toBeGreaterThan(before);
  });

  test("when whom it is about, and who did it, were erased", { timeout: 60_000 }, async () => {
    const before = await rowsInAll();
    // A balance would be lost, so an account that has one is not erased.
    await api.db.query("UPDATE users SET balance_rub = 0");
    await erase(userIds.user);
    await erase(userIds.employee);
    const [{ erased }] = await api.db.query(
      "SELECT count(*)::int AS erased FROM audit_log WHERE payload::text LIKE '%erased%'",
    );
    expect(erased).toBeGreaterThan(5);
    expect(await everyRowCanBeRead()).toBeGreaterThan(before);
    expect(await auditLog.firstBroken(api.db.manager)).toBeUndefined();
  });

  test("when the oldest were removed for their age", async () => {
    const before = await rowsInAll();
    const { removed } = await api.db.transaction((tx) => auditLog.removeOldest(tx, new Date(Date.now() + 60_000), 7));
    expect(removed).toBe(14);
    expect(await everyRowCanBeRead()).toBe(before - 14);
    expect(await auditLog.firstBroken(api.db.manager)).toBeUndefined();
  });

  test("that a version before has written of what only looks", async () => {
    await api.db.query(
      `INSERT INTO audit_log (user_id, method, endpoint, status, request_id) VALUES ($1, 'OPTIONS', 'https://x.y', 200, '')`,
      [userIds.admin],
    );
    await everyRowCanBeRead();
  });
});

/** Sends a request that `fetch` would refuse to send; returns its status, 0 for a stream that begins with no answer to HEAD. */
function sendOdd(method: string, path: string, requestId: string) {
  return new Promise<number>((resolve, reject) => {
    const authorization = `Bearer ${api.tokens.admin}`;
    const headers = { authorization, "x-reason": "a test", "x-request-id": requestId };
    const req = send(api.url + path, { method, headers, timeout: 2_000 }, (res) => {
      resolve(Number(res.statusCode));
      res.destroy();
    });
    req.on("timeout", () => {
      resolve(0);
      req.destroy();
    });
    req.on("error", reject);
    req.end();
  });
}

describe.each(["OPTIONS", "HEAD", "TRACE", "PROPFIND", "M-SEARCH"])("%s of an admin", (method) => {
  test("is entered of no address", { timeout: 60_000 }, async () => {
    const before = await rowsInAll();
    const paths = routes.flatMap(({ path }) => [path, `/warehouse${path}`]);
    const ofBoard = Object.keys(presses).map((route) => board + route.slice(route.indexOf(" ") + 1));
    const others = ["/", "/docs/", "/openapi.json", "/-/version", "/nowhere", `${board}/login`, `${board}/logout`];
    for (const path of new Set([...paths, ...ofBoard, ...others])) {
      const filled = path.replace(":queueName", "webhooks").replaceAll(/\{\w+\}|:\w+/g, userIds.user);
      const requestId = randomUUID();
      const status = await sendOdd(method, filled, requestId);
      expect([filled, status < 500 && (status > 0 || method === "HEAD")]).toEqual([filled, true]);
      if (ofBoard.includes(path) && method !== "HEAD") expect([path, status]).toEqual([path, 405]);
      expect(await rowsOf(requestId)).toEqual([]);
    }
    expect(await rowsInAll()).toBe(before);
  });
});
