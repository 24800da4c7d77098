import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { Mail } from "../../../../src/db/entities/mail/mail.ts";
import { Order } from "../../../../src/db/entities/orders/order.ts";
import { changeOrder } from "../../../../src/services/orders/orders.ts";
import { shopUrl } from "../../../../src/services/shop-url.ts";
import { fanOutEvents } from "../../../../src/services/webhooks/events.ts";
import { apiKey, useApi, userIds, webhookSecret } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { guest, lineOf, type Sending, send } from "../../../support/shop.ts";

const perDay = 5;
const api = useApi({
  relay: false,
  trustProxy: 1,
  exempt: ["10.1.0.0/16"],
  limits: { orders: { points: 40, seconds: 60 } },
  unprovedMailsPerDay: perDay,
});
let offerId = "";
beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 100_000 })).id;
});

const storefront = { "x-forwarded-for": "10.1.2.3" };
const post = (path: string, body: object, { headers, ...options }: Sending = {}) =>
  send(api, "POST", path, body, { ...options, headers: { ...storefront, ...headers } });
const order = (values: object, options?: Sending) =>
  post("/orders", { ...guest, order_offers: [lineOf(offerId)], ...values }, options);
const program = { headers: { "api-key": apiKey } };
async function passOn() {
  const turn = () =>
    api.context.transact({ actorId: null, traceId: null }, (tx) =>
      fanOutEvents(tx, { staff: [], unprovedPerDay: perDay }),
    );
  while ((await turn()) > 0);
}
const repeat = async <T>(times: number, ask: (turn: number) => Promise<T>) => {
  const all: T[] = [];
  for (let turn = 0; turn < times; turn++) all.push(await ask(turn));
  return all;
};
const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status);
const fill = (count: number, status: number) => Array<number>(count).fill(status);
/** How many mails to an address are promised, and how many are held back. */
async function mailsTo(recipient: string) {
  const mails = await api.db.manager.findBy(Mail, { recipient });
  return [mails.filter(({ jobId }) => jobId).length, mails.filter(({ state }) => state === "suppressed").length];
}
const newAddress = () => `${randomUUID()}@test.example`;

describe("guest orders that name one address", () => {
  test("are all taken, five are mailed about, and staff sees the others and may send one", async () => {
    const email = newAddress();
    expect(statusesOf(await repeat(30, () => order({ email })))).toEqual(fill(30, 201));
    await passOn();
    expect(await mailsTo(email)).toEqual([perDay, 25]);
    const staff = { token: api.tokens.employee };
    const { body } = await send(api, "GET", `/mail?recipient=${email}&state=suppressed`, undefined, staff);
    expect(body.total).toBe(25);
    expect(body.items[0]).toMatchObject({ job_id: null, server_answer: expect.stringContaining("Held back") });
    const again = await post(`/mail/${body.items[0]?.id}/resend`, { reason: "The customer has called" }, staff);
    expect(again.status).toBe(200);
    expect(await mailsTo(email)).toEqual([perDay + 1, 25]);
  });

  test("leave the mails about their status and their payment alone", async () => {
    const email = newAddress();
    const placed = await repeat(perDay + 1, () => order({ email }));
    await passOn();
    for (const status of ["IN_PROGRESS", "SHIPPING", "COMPLETED"] as const) {
      for (const { body } of placed)
        await api.db.transaction((tx) => changeOrder(tx, { id: body.id, change: { status } }));
    }
    await passOn();
    expect(await mailsTo(email)).toEqual([perDay + 3 * placed.length, 1]);
  });

  test.each(["own", "staff"])("are counted apart from orders with a login: %s", async (who) => {
    const email = who === "own" ? "user@test.example" : newAddress();
    await api.db.manager.delete(Mail, { recipient: email });
    const token = who === "own" ? api.tokens.user : api.tokens.employee;
    await repeat(perDay + 2, () => order({ email }));
    await repeat(perDay + 2, () => order({ email }, { token }));
    await passOn();
    expect(await mailsTo(email)).toEqual([2 * perDay + 2, 2]);
  });

  test("are no way around it when they claim the account that has the address", async () => {
    const email = "admin@test.example";
    await repeat(perDay + 2, () => order({ email, user_id: userIds.admin }));
    await passOn();
    expect(await mailsTo(email)).toEqual([perDay, 2]);
  });

  test("nor does a customer's login mail a third person without end", async () => {
    const email = newAddress();
    await repeat(4 * perDay + 3, () => order({ email }, { token: api.tokens.user }));
    await passOn();
    expect(await mailsTo(email)).toEqual([4 * perDay, 3]);
  });
});

describe("from a front end that sends for everybody", () => {
  test("orders of guests are counted by the mailbox that they name, never by the address", async () => {
    const local = randomUUID().replaceAll("-", "");
    const answers = await repeat(42, (turn) => order({ email: `${local}+${turn}@test.example` }));
    expect(statusesOf(answers)).toEqual([...fill(40, 201), 429, 429]);
    const others = await repeat(45, () => order({ email: newAddress() }));
    expect(new Set(statusesOf(others))).toEqual(new Set([201]));
  });

  test("orders of customers are counted by customer", async () => {
    const { id } = await api.db.manager.save(User, {
      id: randomUUID(),
      email: newAddress(),
      firstName: "",
      lastName: "",
    });
    const token = await api.identity.token(id);
    const answers = await repeat(41, () => order({ email: newAddress() }, { token }));
    expect(statusesOf(answers)).toEqual([...fill(40, 201), 429]);
  });
});

describe("mails that programs and staff ask for", () => {
  const verification = (recipient: string, n: number) => ({
    ...{ recipient, first_name: "http://evil.example", url: `${shopUrl}/verify?token=${n}` },
  });

  test("with a link that proves an address go to a mailbox five times a day, then the answer is 429", async () => {
    const recipient = newAddress();
    const answers = await repeat(7, (n) => post("/mail/verifications", verification(recipient, n), program));
    expect(statusesOf(answers)).toEqual([...fill(perDay, 200), 429, 429]);
    expect(answers[6]?.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(answers[6]?.body).toMatchObject({ code: "too_many_requests", request_id: expect.any(String) });
    expect(await mailsTo(recipient)).toEqual([perDay, 2]);
    // The same link once more is the same mail.
    expect((await post("/mail/verifications", verification(recipient, 0), program)).status).toBe(200);
    expect(JSON.stringify(await api.db.manager.findBy(Mail, { recipient }))).not.toContain("evil");
  });

  test("to welcome a new user go to a mailbox five times a day, and every user is entered", async () => {
    const local = randomUUID().replaceAll("-", "");
    const register = (n: number) => {
      const data = { id: randomUUID(), email: `${local}+${n}@test.example`, first_name: "A", last_name: "B" };
      const headers = { "x-better-auth-secret": webhookSecret };
      return post("/webhooks/better-auth", { type: "user.created", data }, { headers });
    };
    expect(statusesOf(await repeat(7, register))).toEqual(fill(7, 200));
    const sent = await api.db.query("SELECT state FROM mails WHERE recipient LIKE $1 ORDER BY state", [`${local}+%`]);
    expect(sent.map(({ state }: { state: string }) => state)).toEqual([
      ...Array(perDay).fill("queued"),
      ...["suppressed", "suppressed"],
    ]);
  });

  test("with the price list, to try a newsletter, do too", async () => {
    const recipient = newAddress();
    const answers = await repeat(7, () => post(`/mail/${recipient}`, {}, program));
    expect(statusesOf(answers)).toEqual([...fill(perDay, 200), 429, 429]);
    expect(await mailsTo(recipient)).toEqual([perDay, 2]);
  });

  test("once more do too, and a refused one leaves everything as it was", async () => {
    const email = newAddress();
    await order({ email });
    await passOn();
    const mail = await api.db.manager.findOneByOrFail(Mail, { recipient: email });
    await api.db.manager.update(Mail, { id: mail.id }, { state: "sent" });
    const again = () => post(`/mail/${mail.id}/resend`, { reason: "Asked for" }, { token: api.tokens.employee });
    expect(statusesOf(await repeat(7, again))).toEqual([...fill(perDay, 200), 429, 429]);
    expect(await mailsTo(email)).toEqual([1 + perDay, 0]);
  });
});

describe("a name with a web address in it", () => {
  const evil = "Вы выиграли http://evil.example";

  test.each([
    ["first_name", evil],
    ["last_name", evil],
    ["first_name", "ｗｗｗ．evil.example"],
    ["last_name", "hxxp:evil.example"],
    ["first_name", "ht\u00adtp:\u200b//evil.example"],
  ])("is refused in a guest's new order: %s %j", async (name, value) => {
    const { status, body } = await order({ [name]: value });
    expect(status).toBe(422);
    expect(body).toMatchObject({ detail: [{ type: "value_error", loc: ["body", name], input: value.trim() }] });
  });

  test("is taken in an order with a login, and as it is in one that is sent back", async () => {
    const placed = await order({ first_name: evil }, { token: api.tokens.employee });
    expect([placed.status, placed.body.first_name]).toEqual([201, evil]);
    const changed = await send(
      api,
      "PATCH",
      `/orders/${placed.body.id}`,
      { ...placed.body, status: "SHIPPING" },
      {
        token: api.tokens.employee,
      },
    );
    expect([changed.status, changed.body.first_name]).toEqual([200, evil]);
  });

  test("is taken of an old guest order that the warehouse sends back with a new status", async () => {
    const { body } = await order({});
    await api.db.manager.update(Order, { id: body.id }, { firstName: evil });
    const staff = { token: api.tokens.employee };
    const shown = await send(api, "GET", `/warehouse/orders/${body.id}`, undefined, staff);
    const changed = await send(
      api,
      "PATCH",
      `/warehouse/orders/${body.id}`,
      { ...shown.body, status: "SHIPPING" },
      staff,
    );
    expect([changed.status, changed.body.first_name]).toEqual([200, evil]);
  });

  test("is left out of what the identity provider says, and no event is refused", async () => {
    const id = randomUUID();
    const data = { id, email: newAddress(), first_name: `${evil} Анна`, last_name: "www.evil.example" };
    const headers = { "x-better-auth-secret": webhookSecret };
    expect((await post("/webhooks/better-auth", { type: "user.created", data }, { headers })).status).toBe(200);
    const claims = { email: newAddress(), first_name: "hxxp://evil.example Олег", last_name: evil };
    const subject = randomUUID();
    const token = await api.identity.token(subject, { claims });
    expect((await send(api, "GET", `/users/${subject}`, undefined, { token })).status).toBe(200);
    const names = async (user: string) => {
      const { firstName, lastName } = await api.db.manager.findOneByOrFail(User, { id: user });
      return [firstName, lastName];
    };
    expect(await names(id)).toEqual(["Вы выиграли Анна", ""]);
    expect(await names(subject)).toEqual(["Олег", "Вы выиграли"]);
  });
});
