import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { mails } from "../../../../src/db/dao/mail/mails.ts";
import { personalTables } from "../../../../src/db/personal-data.ts";
import { enqueue } from "../../../../src/engine/outbox.ts";
import { renderDocument } from "../../../../src/jobs/render-document.ts";
import { requestEventMails } from "../../../../src/services/mail/event-mails.ts";
import { type Answer, call, objectKeys, useApi, userIds, useWorker } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { readAs } from "../../../support/clients/client-call.ts";
import { storefrontCalls } from "../../../support/clients/storefront.ts";
import { warehouseCalls } from "../../../support/clients/warehouse.ts";
import { addOrder } from "../../../support/orders.ts";
import { addPerson, type Person, rowsWith } from "../../../support/person.ts";
import { addUser } from "../../../support/users.ts";

const api = useApi();
const { mailbox } = useWorker(api);
let offerId: string;
beforeAll(async () => {
  offerId = (await addOffer(api.db)).id;
});

const add = (isGuest = false) => addPerson(api.db, api.context.store, { offerId, staffId: userIds.employee, isGuest });
const as = async (id: string) => ({ authorization: `Bearer ${await api.identity.token(id)}` });
/** What these routes answer besides. */
type Answered = Answer & {
  body: { tables: Record<string, { id: string }[]>; url: string; ready_at: string | null; email: string };
};
const get = async (path: string, id: string, headers: Record<string, string> = {}) =>
  (await call(api.url + path, { headers: { ...(await as(id)), ...headers } })) as Answered;
const post = async (path: string, id: string, body: unknown, headers: Record<string, string> = {}) =>
  (await call(api.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(await as(id)), ...headers },
    body: JSON.stringify(body),
  })) as Answered;

describe("GET /users/{user_id}/export", () => {
  test("answers all that is stored about the caller, and nothing of staff or of other users", async () => {
    const [person, other] = [await add(), await add()];
    await addOrder(api.db, { userId: null, email: person.email, note: "guest" });
    const { status, body } = await get(`/users/${person.userId}/export`, String(person.userId));
    expect(status).toBe(200);
    expect(body).toMatchObject({ user_id: person.userId, taken_at: expect.any(String) });
    expect(Object.keys(body.tables).sort()).toEqual(Object.keys(personalTables).sort());
    const { users, orders, addresses, carts, mails, audit_log, payments, waybills, order_offers } = body.tables;
    expect(users).toMatchObject([{ id: person.userId, email: person.email, phone: person.phone }]);
    expect(orders).toMatchObject([{ id: person.orderId, email: person.email }]);
    expect([addresses, carts, payments, waybills, order_offers].map((rows) => rows?.length)).toEqual([1, 1, 1, 1, 1]);
    expect(mails).toHaveLength(2);
    expect(audit_log).toHaveLength(2);
    const text = JSON.stringify(body);
    for (const foreign of [other.mark, userIds.employee, "employee@test.example"]) expect(text).not.toContain(foreign);
  });

  test("shows of jobs and mails what their owner may see: no worker, no member of staff, no link that proves an address", async () => {
    const { id, email } = await addUser(api.db);
    const row = { ...{ id: randomUUID(), sendKey: randomUUID(), kind: "verify-email", recipient: email }, jobId: null };
    const parameters = { url: "https://shop.test/verify?token=t0k3n" };
    await mails.insertNew(api.db.manager, [{ ...row, language: "ru", parameters, state: "suppressed" }]);
    const origin = { actorId: id, traceId: "t" };
    const jobId = await api.context.transact(origin, (tx) => enqueue(tx, renderDocument, { documentId: randomUUID() }));
    const at = "2026-01-02T03:04:05.678Z";
    const attempt = { epoch: 1, worker: "pod-7f", started_at: at, ended_at: at, outcome: "failed", error: null };
    await api.db.query("UPDATE job SET attempts = $2, cancellation = $3 WHERE id = $1", [
      ...[jobId, JSON.stringify([attempt])],
      { at, by: userIds.employee, reason: "Closed" },
    ]);
    const { body } = await get(`/users/${id}/export`, id);
    const { worker: _worker, ...shown } = attempt;
    expect(body.tables.job).toMatchObject([{ id: jobId, attempts: [shown], cancellation: { at, reason: "Closed" } }]);
    expect(body.tables.mails).toMatchObject([{ id: row.id, parameters: {} }]);
    for (const hidden of ["t0k3n", "pod-7f", userIds.employee]) expect(JSON.stringify(body)).not.toContain(hidden);
  });

  test("shows admins the guest's orders under the address as well, which is not proved", async () => {
    const person = await add();
    await addOrder(api.db, { userId: null, email: person.email.toUpperCase() });
    const { body } = await get(`/users/${person.userId}/export`, userIds.admin);
    expect(body.tables.orders).toHaveLength(2);
    expect((await get(`/users/${person.userId}/export`, String(person.userId))).body.tables.orders).toHaveLength(1);
  });

  test("is for the user and for admins", async () => {
    const path = `/users/${userIds.user}/export`;
    expect((await get(path, userIds.employee)).status).toBe(403);
    expect((await get(path, (await addUser(api.db)).id)).status).toBe(403);
    expect((await get(path, userIds.admin)).status).toBe(200);
    expect((await get(`/users/${randomUUID()}/export`, userIds.admin)).status).toBe(404);
    expect((await get("/users/1/export", userIds.admin)).status).toBe(422);
  });

  test("makes a file of what is large, which the user and admins alone can read, and which an erasure removes", async () => {
    const { userId, ...person } = await add();
    await api.db.query(
      `INSERT INTO user_balance_history (user_id, delta, balance_before, balance_after, currency, reason)
       SELECT $1, 1, n, n + 1, 'RUB', 'OTHER' FROM generate_series(1, 2500) n`,
      [userId],
    );
    const user = String(userId);
    const path = `/users/${user}/export`;
    const first = await get(path, user, { prefer: "respond-async" });
    expect(first).toMatchObject({ status: 202, body: { kind: "personal-data", job: { status: expect.any(String) } } });
    const document = `/documents/${first.body.id}`;
    expect(first.headers.get("location")).toBe(`https://api.test${document}`);
    await vi.waitFor(async () => expect((await get(document, user)).body.ready_at).not.toBeNull(), 15_000);
    expect((await get(document, userIds.employee)).status).toBe(404);
    expect((await get(document, userIds.admin)).status).toBe(200);
    const idsFor = async (id: string) =>
      (await get("/documents?limit=100", id)).body.items.map((one: { id: string }) => one.id);
    expect(await idsFor(userIds.employee)).not.toContain(first.body.id);
    expect(await idsFor(userIds.admin)).toContain(first.body.id);

    // At the full hour it is made once more.
    const again = await vi.waitFor(
      async () => {
        const answer = await fetch(api.url + path, { headers: await as(user), redirect: "manual" });
        expect(answer.status).toBe(302);
        return answer;
      },
      { timeout: 15_000, interval: 200 },
    );
    const file = (await (await fetch(String(again.headers.get("location")))).json()) as {
      tables: Record<string, { id: string }[]>;
    };
    const history = file.tables.user_balance_history ?? [];
    expect(new Set(history.map(({ id }) => id)).size).toBe(2_501);

    await erased(await post(`/users/${user}/erasure`, userIds.admin, { reason: "Asked" }));
    expect(await objectKeys(api.s3, "documents/")).toEqual(
      expect.not.arrayContaining([expect.stringContaining(`personal-data-${user}`)]),
    );
    expect(await rowsWith(api.db, [person.mark, person.email])).toEqual([]);
  });

  test("cannot be ordered by its name, past its rights", async () => {
    const parameters = { userId: userIds.user, withGuestOrders: true };
    const { status } = await post("/documents", userIds.employee, {
      kind: "personal-data",
      format: "json",
      parameters,
    });
    expect(status).toBe(422);
  });
});

/** Waits until the job of this answer is over, and returns it. */
async function erased({ status, body, headers }: Awaited<ReturnType<typeof post>>) {
  expect(status).toBe(202);
  expect(headers.get("location")).toBe(body.url);
  return vi.waitFor(
    async () => {
      const job = await get(`/jobs/${body.id}`, userIds.admin);
      expect(job.body.status).toBe("succeeded");
      return job.body;
    },
    { timeout: 20_000, interval: 100 },
  );
}

describe("POST /users/{user_id}/erasure", () => {
  test("locks the user out at once, also with a token that is still valid", async () => {
    const { id } = await addUser(api.db);
    expect((await get("/cart", id)).status).toBe(200);
    const answer = await post(`/users/${id}/erasure`, userIds.admin, { reason: "Asked" });
    expect(await get("/cart", id)).toMatchObject({ status: 401, body: { detail: "User not found" } });
    await erased(answer);
    const token = await api.identity.token(id, { claims: { email: "again@test.example" } });
    expect((await call(`${api.url}/cart`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  });

  test("leaves nothing of the person in any table, any object and any answer, and says what it did", async () => {
    const person = await add();
    const job = await erased(await post(`/users/${person.userId}/erasure`, userIds.admin, { reason: "Asked" }));
    expect(job.result).toMatchObject({ user_id: person.userId, erased: { users: 1, orders: 1, documents: 2 } });
    await nothingIsLeftOf(person);
    const { body } = await get(`/users/${person.userId}/export`, userIds.admin);
    expect(JSON.stringify(body)).not.toMatch(new RegExp([person.mark, person.email].join("|"), "i"));
    expect(body.tables.orders).toHaveLength(1);
  });

  test("frees the address; the identity provider and admins cannot enter the user again", async () => {
    const person = await add();
    const path = `/users/${person.userId}`;
    await erased(await post(`${path}/erasure`, userIds.admin, { reason: "Asked" }));
    await addUser(api.db, { email: person.email });
    const headers = { "content-type": "application/json", ...(await as(userIds.admin)) };
    const change = { method: "PATCH", headers, body: JSON.stringify({ first_name: "Anna", is_active: true }) };
    const { status, body } = await call(api.url + path, change);
    expect({ status, detail: body.detail }).toEqual({ status: 409, detail: expect.stringContaining("is erased") });
  });

  test("leaves rows that both front ends can still read", async () => {
    const person = await add();
    await erased(await post(`/users/${person.userId}/erasure`, userIds.admin, { reason: "Asked" }));
    const log = await get("/warehouse/audit-log?limit=100", userIds.admin);
    readAs(warehouseCalls.W39, log.body);
    expect(JSON.stringify(log.body)).toContain("erased");
    readAs(storefrontCalls.S18, (await get(`/users/${person.userId}`, userIds.admin)).body);
    readAs(warehouseCalls["W30.id"], (await get(`/warehouse/users/${person.userId}`, userIds.admin)).body);
    readAs(storefrontCalls.S16, (await get(`/orders/${person.orderId}`, userIds.admin)).body);
    readAs(warehouseCalls.W20, (await get(`/warehouse/orders/${person.orderId}`, userIds.admin)).body);
    expect((await get("/mail?limit=100", userIds.admin)).status).toBe(200);
    expect((await get("/jobs?limit=100", userIds.admin)).status).toBe(200);
  });

  test("sends the person no mail any more, not even when an order of theirs goes on", async () => {
    const person = await add();
    await erased(await post(`/users/${person.userId}/erasure`, userIds.admin, { reason: "Asked" }));
    const event = { id: randomUUID(), type: "order.status_changed", entityId: person.orderId } as const;
    await api.context.transact({ actorId: null, traceId: null }, (tx) =>
      requestEventMails(tx, [{ ...event, data: { status: "SHIPPING" } }], { staff: [], unprovedPerDay: 5 }),
    );
    const [mail] = await vi.waitFor(
      async () => {
        const rows = await api.db.query(
          "SELECT id, state FROM mails WHERE kind = 'order-status' AND parameters->>'orderId' = $1",
          [person.orderId],
        );
        expect(rows).toMatchObject([{ state: "suppressed" }]);
        return rows;
      },
      { timeout: 20_000, interval: 100 },
    );
    const { status, body } = await post(`/mail/${mail.id}/resend`, userIds.employee, { reason: "Try" });
    expect({ status, detail: body.detail }).toMatchObject({ status: 409, detail: expect.stringContaining("erased") });
    expect(await mailbox.mailsTo("erased@erased.invalid")).toEqual([]);
  });

  test("is one erasure, however often it is asked for while it goes on, and is done again later", async () => {
    const { id } = await addUser(api.db);
    const ask = () => post(`/users/${id}/erasure`, userIds.admin, { reason: "Asked" });
    const answers = await Promise.all([ask(), ask(), ask()]);
    for (const answer of answers) await erased(answer);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBeLessThanOrEqual(3);
    const [{ open }] = await api.db.query(
      "SELECT count(*)::int AS open FROM erasures WHERE user_id = $1 AND finished_at IS NULL",
      [id],
    );
    expect(open).toBe(0);
    await erased(await ask());
  });

  test.each([
    ["no reason", {}, 422],
    ["an empty reason", { reason: " " }, 422],
    ["a reason with the name", { reason: "Нина Ли просит" }, 422],
    ["a reason with an address", { reason: "mail of anna@test.example" }, 422],
    ["a reason with a number", { reason: "called from +7 978 000-00-00" }, 422],
  ])("is refused with %s, which the audit log does not keep", async (_what, body, status) => {
    const { id } = await addUser(api.db);
    expect((await post(`/users/${id}/erasure`, userIds.admin, body)).status).toBe(status);
    const entry = "SELECT payload FROM audit_log WHERE endpoint LIKE $1 AND status = $2";
    await vi.waitFor(async () =>
      expect(await api.db.query(entry, [`%${id}/erasure`, status])).toEqual([{ payload: null }]),
    );
  });

  test("is refused while the account has a balance, which would be lost", async () => {
    const { id } = await addUser(api.db, { balanceRub: 500 });
    const { status, body } = await post(`/users/${id}/erasure`, userIds.admin, { reason: "Asked" });
    expect([status, body.detail]).toEqual([409, expect.stringContaining("a balance of '500' roubles")]);
    await api.db.query("UPDATE users SET balance_rub = 0 WHERE id = $1", [id]);
    expect((await post(`/users/${id}/erasure`, userIds.admin, { reason: "Asked" })).status).toBe(202);
  });

  test("is for admins, of users that are there, and of others than oneself", async () => {
    const ask = async (of: string, by: string) => (await post(`/users/${of}/erasure`, by, { reason: "Asked" })).status;
    expect(await ask(userIds.user, userIds.employee)).toBe(403);
    expect(await ask(userIds.user, userIds.user)).toBe(403);
    expect(await ask(randomUUID(), userIds.admin)).toBe(404);
    expect(await ask(userIds.admin, userIds.admin)).toBe(409);
  });
});

describe("POST /erasures", () => {
  test("leaves nothing of a guest, and keeps the address out of the audit log", async () => {
    const person = await add(true);
    const job = await erased(await post("/erasures", userIds.admin, { email: person.email, reason: "Asked" }));
    expect(job.result).toMatchObject({ user_id: null, erased: { orders: 1, documents: 2, mails: 2 } });
    await nothingIsLeftOf(person);
  });

  test("leads to the account when one has the address", async () => {
    const { id, email } = await addUser(api.db);
    const { status, body } = await post("/erasures", userIds.admin, { email: email.toUpperCase(), reason: "Asked" });
    expect(status).toBe(409);
    expect(body.detail).toContain(`/users/${id}/erasure`);
  });

  test("erases the contact from an order that another account made for the person, and shows it to no user", async () => {
    const email = `${randomUUID()}@test.example`;
    const { id: userId } = await addUser(api.db);
    const { id } = await addOrder(api.db, { userId, email, note: "for a friend" });
    await erased(await post("/erasures", userIds.admin, { email, reason: "Asked" }));
    expect((await get(`/orders/${id}`, userId)).body).toMatchObject({ email: "erased@erased.invalid", note: null });
  });
});

async function nothingIsLeftOf({ mark, email, phone, objectKeys: keys }: Person) {
  expect(await rowsWith(api.db, [mark, email, phone])).toEqual([]);
  expect((await objectKeys(api.s3)).filter((key) => keys.includes(key))).toEqual([]);
}
