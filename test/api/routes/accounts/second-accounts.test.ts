import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { users } from "../../../../src/db/dao/accounts/users.ts";
import { mailRecipients } from "../../../../src/db/dao/mail/mail-recipients.ts";
import { sizeOfExport } from "../../../../src/db/dao/privacy/personal-data.ts";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { call, useApi, webhookSecret } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { addOrder } from "../../../support/orders.ts";
import { guest, lineOf } from "../../../support/shop.ts";
import { addUser } from "../../../support/users.ts";

const proxy = "x-forwarded-email";
const api = useApi({ relay: false, board: { identity: { header: proxy, from: () => true } } });
const ask = asker(api);

const tell = (type: string, data: object) =>
  call(`${api.url}/webhooks/better-auth`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-better-auth-secret": webhookSecret },
    body: JSON.stringify({ type, data }),
  });
const personOf = (id: string, email: string) => ({ id, email, first_name: "Нина", last_name: "Ли" });
const find = (id: string) => api.db.manager.findOneByOrFail(User, { id });
const newAddress = () => `${randomUUID()}@test.example`;
const activate = (base: string, id: string) =>
  ask(`PATCH ${base}/users/${id}`, { as: "admin", body: { is_active: true } });

/** An account with history that the identity provider has deleted. */
async function deletedAccount(values: Partial<User> = {}) {
  const user = await addUser(api.db, { email: newAddress(), balanceRub: 700, ...values });
  const order = await addOrder(api.db, { userId: user.id, email: user.email });
  expect((await tell("user.deleted", { id: user.id })).status).toBe(200);
  return { ...user, orderId: order.id };
}

/** The ways in which the same person gets an account again, under a new id. */
const ways = {
  async "an event"(email: string) {
    const id = randomUUID();
    expect((await tell("user.created", personOf(id, email))).status).toBe(200);
    return id;
  },
  async "a token alone"(email: string) {
    const id = randomUUID();
    const as = { token: await api.identity.token(id, { claims: { email, first_name: "Нина" } }) };
    expect((await ask(`GET /users/${id}`, { as })).status).toBe(200);
    return id;
  },
};

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  test.each(Object.entries(ways))(
    "a person signs up again by %s: the new account is empty, the old one stays",
    async (_way, signUp) => {
      const old = await deletedAccount();
      const id = await signUp(old.email.toUpperCase());
      const as = { token: await api.identity.token(id, { claims: { email: old.email } }) };
      const own = await ask<User & { balance_rub: number }>(`GET ${base}/users/${id}`, { as });
      expect(own).toMatchObject({ status: 200, body: { balance_rub: 0, role: "USER", is_active: true } });
      expect((await ask(`GET ${base}/orders`, { as })).body.total).toBe(0);
      expect((await ask(`GET ${base}/orders?user_id=${old.id}`)).body.items).toMatchObject([{ id: old.orderId }]);
      const found = await ask(`GET ${base}/users?search_term=${old.email}`);
      expect(found.body.items).toMatchObject([
        { id, is_active: true, balance_rub: 0 },
        { id: old.id, is_active: false, balance_rub: 700 },
      ]);
      const ofOld = { token: await api.identity.token(old.id) };
      expect((await ask(`GET ${base}/users/${old.id}`, { as: ofOld })).status).toBe(403);
    },
  );

  test("the old account is active again only when no other active one has its e-mail", async () => {
    const old = await deletedAccount();
    const id = await ways["an event"](old.email.toUpperCase());
    const refused = await activate(base, old.id);
    expect(refused.status).toBe(409);
    for (const named of [old.id, id, old.email]) expect(refused.body.detail).toContain(named);
    expect(await ask(`PATCH ${base}/users/${old.id}`, { as: "admin", body: { note: "а" } })).toMatchObject({
      status: 200,
    });
    expect((await ask(`PATCH ${base}/users/${id}`, { as: "admin", body: { is_active: false } })).status).toBe(200);
    expect((await activate(base, old.id)).status).toBe(200);
    expect((await activate(base, id)).body.detail).toContain(old.id);
    const both = { is_active: true, email: newAddress() };
    expect((await ask(`PATCH ${base}/users/${id}`, { as: "admin", body: both })).status).toBe(200);
  });

  test("a guest's order goes to the active account that it claims, never to the old one", async () => {
    const old = await deletedAccount();
    const id = await ways["an event"](old.email);
    const offer = await addOffer(api.db, { quantity: 9 });
    const order = (user_id: string) =>
      ask(`POST ${base}/orders`, {
        as: "anonymous",
        body: { ...guest, email: old.email.toUpperCase(), user_id, order_offers: [lineOf(offer.id)] },
      });
    const owners = [];
    for (const claimed of [old.id, id]) {
      const { id: orderId } = (await order(claimed)).body;
      const [row] = await api.db.query("SELECT user_id FROM orders WHERE id = $1", [orderId]);
      owners.push(row.user_id);
    }
    expect(owners).toEqual([null, id]);
  });
});

describe("of two accounts with one e-mail the active one", () => {
  test("is the one that a proxy in front of the board names", async () => {
    const old = await deletedAccount({ role: "ADMIN" });
    const { id } = await addUser(api.db, { email: old.email.toUpperCase(), role: "EMPLOYEE" });
    expect((await users.findByEmail(api.db.manager, old.email))?.id).toBe(id);
    const board = await call(`${api.url}/admin/queues/api/queues`, { headers: { [proxy]: old.email } });
    expect(board.status).toBe(200);
  });

  test("has the language of mails to the address", async () => {
    const old = await deletedAccount({ language: "en" });
    const languageOf = async () => (await mailRecipients.languages(api.db.manager, [old.email]))(old.email);
    expect(await languageOf()).toBe("ru");
    await addUser(api.db, { email: old.email, language: "en" });
    await addUser(api.db, { email: old.email, language: "ru", isActive: false });
    expect(await languageOf()).toBe("en");
  });

  test("is the one that the erasure of the address leads to", async () => {
    const old = await deletedAccount();
    const erase = () =>
      ask("POST /erasures", { as: "admin", body: { email: old.email, reason: "Requested in writing" } });
    expect((await erase()).body.detail).toContain(old.id);
    const { id } = await addUser(api.db, { email: old.email });
    expect((await erase()).body.detail).toContain(id);
  });

  test("is the one whose export has what belongs to the address", async () => {
    const old = await deletedAccount();
    const rowsOf = async (userId: string) => {
      const size = await sizeOfExport(api.db.manager, { userId, withGuestOrders: true });
      return size?.rows ?? 0;
    };
    const { id } = await addUser(api.db, { email: old.email });
    const before = [await rowsOf(old.id), await rowsOf(id)];
    await addOrder(api.db, { email: old.email });
    expect([await rowsOf(old.id), await rowsOf(id)]).toEqual([before[0], (before[1] ?? 0) + 1]);
  });

  test("is unsubscribed together with the old one, which may be activated again", async () => {
    const old = await deletedAccount({ mailing: true });
    const { id } = await addUser(api.db, { email: old.email, mailing: true });
    await users.endMailing(api.db.manager, old.email.toUpperCase());
    expect([(await find(old.id)).mailing, (await find(id)).mailing]).toEqual([false, false]);
  });
});
