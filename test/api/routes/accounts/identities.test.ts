import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { users } from "../../../../src/db/dao/accounts/users.ts";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { Mail } from "../../../../src/db/entities/mail/mail.ts";
import { call, useApi, webhookSecret } from "../../../support/api.ts";
import { asker } from "../../../support/ask.ts";
import { addUser } from "../../../support/users.ts";

const proxy = "x-forwarded-email";
const operator = "operator@test.example";
const api = useApi({
  relay: false,
  operators: [operator],
  board: { identity: { header: proxy, from: () => true } },
});
const ask = asker(api);

const find = (id: string) => api.db.manager.findOneBy(User, { id });
const send = (type: string, data: unknown) =>
  call(`${api.url}/webhooks/better-auth`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-better-auth-secret": webhookSecret },
    body: JSON.stringify({ type, data }),
  });
const dataOf = (id: string, values: object = {}) => ({
  ...{ id, email: `${id}@test.example`, first_name: "Нина", last_name: "Ли" },
  ...values,
});
/** What the person behind a token is answered. */
async function statusOf(id: string, claims: Record<string, unknown>) {
  const as = { token: await api.identity.token(id, { claims }) };
  return (await ask(`GET /users/${id}`, { as })).status;
}

type Step = "token" | "user.created" | "user.updated" | "user.deleted" | "activated";

/** What happens to one person, in this order, and whether a token that still lives gets in then. */
const histories: [steps: Step[], isEntered: boolean, status: number][] = [
  [["user.deleted"], false, 401],
  [["user.deleted", "token"], false, 401],
  [["user.deleted", "user.created"], false, 401],
  [["user.deleted", "user.updated"], false, 401],
  [["user.deleted", "token", "user.created", "user.deleted", "user.updated", "token"], false, 401],
  [["user.deleted", "user.deleted", "token"], false, 401],
  [["token", "user.deleted", "token"], true, 403],
  [["user.created", "user.deleted", "token"], true, 403],
  [["user.created", "user.deleted", "user.created", "user.updated", "token"], true, 403],
  [["user.created", "user.deleted", "activated"], true, 200],
  [["user.created", "user.deleted", "activated", "user.updated", "token"], true, 200],
  [["user.created", "user.deleted", "activated", "user.deleted", "token"], true, 403],
  [["user.created", "token"], true, 200],
];

describe("a user whom the identity provider has deleted", () => {
  test.each(histories)("%j: entered %s, and a live token is answered %i", async (steps, isEntered, status) => {
    const id = randomUUID();
    const claims = { email: `${id}@test.example` };
    for (const step of steps) {
      if (step === "token") await statusOf(id, claims);
      else if (step === "activated")
        expect((await ask(`PATCH /users/${id}`, { as: "admin", body: { is_active: true } })).status).toBe(200);
      else expect((await send(step, dataOf(id, { updatedAt: new Date().toISOString() }))).status).toBe(200);
    }
    expect((await find(id)) !== null).toBe(isEntered);
    expect(await statusOf(id, claims)).toBe(status);
  });

  test("stays out when his tokens, his events and the deletion come at once", async () => {
    const ids = Array.from({ length: 12 }, () => randomUUID());
    await Promise.all(
      ids.flatMap((id) => [
        statusOf(id, { email: `${id}@test.example` }),
        send("user.created", dataOf(id)),
        send("user.deleted", { id }),
        statusOf(id, { email: `${id}@test.example` }),
        send("user.updated", dataOf(id)),
      ]),
    );
    for (const id of ids) {
      expect(await statusOf(id, { email: `${id}@test.example` })).not.toBe(200);
      expect((await find(id))?.isActive ?? false).toBe(false);
    }
  });

  test("stays out when the deletion comes while his row is being entered", async () => {
    const id = randomUUID();
    const runner = api.db.createQueryRunner();
    await runner.startTransaction();
    await users.insertUnlessKnown(runner.manager, {
      ...{ id, email: `${id}@test.example`, emailVerified: null, firstName: "", lastName: "" },
    });
    const deleted = send("user.deleted", { id });
    await runner.commitTransaction();
    await runner.release();
    expect((await deleted).status).toBe(200);
    expect((await find(id))?.isActive).toBe(false);
  });
});

/** How providers say that an address is not proved, and that it is. */
const unproved: Record<string, unknown>[] = [
  { email_verified: false },
  { emailVerified: false },
  { email_verified: "false" },
  { email_verified: true, emailVerified: false },
  { emailVerified: 0 },
  { email_verified: { is: true } },
];
const proved: Record<string, unknown>[] = [
  {},
  { email_verified: true },
  { emailVerified: "true" },
  { emailVerified: null },
];

describe("an address that is not proved", () => {
  const address = () => `${randomUUID()}@test.example`;

  test.each(unproved)("is not taken by a token: %j", async (said) => {
    const [email, stranger, owner] = [address(), randomUUID(), randomUUID()];
    expect(await statusOf(stranger, { email, ...said }), "the token itself is good").toBe(200);
    expect(await statusOf(owner, { email: email.toUpperCase(), email_verified: true })).toBe(200);
    expect(await find(stranger)).toMatchObject({ emailVerified: false, role: "USER" });
    // The user who has it already loses nothing to a second stranger.
    expect(await statusOf(randomUUID(), { email, ...said })).toBe(200);
    expect((await find(owner))?.email).toBe(email.toUpperCase());
  });

  test.each(unproved)("is not taken by an event: %j", async (said) => {
    const [email, stranger, owner] = [address(), randomUUID(), randomUUID()];
    expect((await send("user.created", dataOf(stranger, { email, ...said }))).status).toBe(200);
    expect((await send("user.created", dataOf(owner, { email }))).status).toBe(200);
    expect((await send("user.updated", dataOf(randomUUID(), { email, ...said }))).status).toBe(200);
    const mails = await api.db.manager.findBy(Mail, { recipient: email, kind: "welcome" });
    expect(mails.length, "welcomed: the owner alone").toBe(1);
  });

  test.each(proved)("belongs to a user when the token says %j", async (said) => {
    const email = address();
    expect(await statusOf(randomUUID(), { email, ...said })).toBe(200);
    expect(await statusOf(randomUUID(), { email, ...said })).toBe(401);
    expect((await send("user.created", dataOf(randomUUID(), { email }))).status).toBe(409);
  });

  test("becomes the user's with the first token that says so, unless another user has it by then", async () => {
    const [email, first, second] = [address(), randomUUID(), randomUUID()];
    for (const id of [first, second]) expect(await statusOf(id, { email, emailVerified: false })).toBe(200);
    for (const id of [first, second]) expect(await statusOf(id, { email, emailVerified: true })).toBe(200);
    expect([(await find(first))?.emailVerified, (await find(second))?.emailVerified]).toEqual([true, false]);
  });

  test("stays unproved until something else is said, or it is another one", async () => {
    const id = randomUUID();
    const [email, next] = [address(), address()];
    const verifiedAfter = async (values: object) => {
      expect((await send("user.updated", dataOf(id, values))).status).toBe(200);
      return (await find(id))?.emailVerified;
    };
    expect(await verifiedAfter({ email, emailVerified: false })).toBe(false);
    expect(await verifiedAfter({ email, first_name: "Анна" })).toBe(false);
    expect(await verifiedAfter({ email, emailVerified: true })).toBe(true);
    expect(await verifiedAfter({ email: next })).toBeNull();
    expect(await verifiedAfter({ email: next, email_verified: false })).toBe(false);
    expect((await ask(`PATCH /users/${id}`, { as: "admin", body: { email: address() } })).status).toBe(200);
    expect((await find(id))?.emailVerified).toBeNull();
  });

  test("makes no user an operator, gets no newsletter, and is no name for a proxy to give", async () => {
    const row = { role: "EMPLOYEE", email: operator, emailVerified: false, mailing: true } as const;
    const { id } = await addUser(api.db, row);
    const press = (headers: Record<string, string>) =>
      call(`${api.url}/admin/queues/api/queues/images/resume`, { method: "PUT", headers });
    const bearer = async (claims = {}) => ({ authorization: `Bearer ${await api.identity.token(id, { claims })}` });
    const board = (headers: Record<string, string>) => call(`${api.url}/admin/queues/api/queues`, { headers });
    expect((await press(await bearer())).status, "by the row").toBe(403);
    expect((await board({ [proxy]: operator })).status, "by the proxy").toBe(401);
    expect(await users.countMailing(api.db.manager, ["USER_RETAIL"])).toBe(0);

    await api.db.manager.update(User, { id }, { emailVerified: null });
    expect((await press(await bearer({ email_verified: false }))).status, "by the token").toBe(403);
    expect((await press(await bearer())).status).toBe(200);
    expect((await board({ [proxy]: operator })).status).toBe(200);
    expect(await users.countMailing(api.db.manager, ["USER_RETAIL"])).toBe(1);
  });
});
