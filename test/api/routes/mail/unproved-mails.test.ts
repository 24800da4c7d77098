import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { User } from "../../../../src/db/entities/accounts/user.ts";
import { Document } from "../../../../src/db/entities/documents/document.ts";
import { Mail } from "../../../../src/db/entities/mail/mail.ts";
import { finishDocument } from "../../../../src/services/documents/documents.ts";
import { fanOutEvents } from "../../../../src/services/webhooks/events.ts";
import { useApi, userIds, webhookSecret } from "../../../support/api.ts";
import { addOffer } from "../../../support/catalogue.ts";
import { guest, lineOf, send } from "../../../support/shop.ts";
import { addUser } from "../../../support/users.ts";

const perDay = 2;
const api = useApi({ relay: false, unprovedMailsPerDay: perDay });
let offerId = "";
beforeAll(async () => {
  offerId = (await addOffer(api.db, { quantity: 100_000 })).id;
});

interface Account {
  /** What the identity provider's event says of the address; undefined: there was none. */
  event?: object;
  /** What each token says of it. */
  token?: object;
  /** How an admin has entered the account. */
  row?: Partial<User>;
}

const unproved: [name: string, Account][] = [
  ["a token enters the account", { token: { email_verified: false } }],
  ["a token enters it, in the provider's other spelling", { token: { emailVerified: false } }],
  ["an event enters it, and tokens say nothing", { event: { email_verified: false } }],
  ["an event says nothing, and tokens do", { event: {}, token: { emailVerified: false } }],
];
const trusted: [name: string, Account][] = [
  ["nothing is said", { event: {} }],
  ["a token says that it is proved", { token: { email_verified: true } }],
  [
    "an event said so, and an older token does not",
    { event: { emailVerified: true }, token: { emailVerified: false } },
  ],
  ["a token says so after others did not", { event: { emailVerified: false }, token: { emailVerified: true } }],
  ["an admin has entered staff", { row: { role: "EMPLOYEE" }, token: { emailVerified: false } }],
];

/** A user who has logged in, and the address. */
async function enter({ event, token: said = {}, row }: Account) {
  const [id, email] = [randomUUID(), `${randomUUID()}@test.example`];
  if (row) await addUser(api.db, { id, email, ...row });
  if (event) {
    const data = { id, email, first_name: "A", last_name: "B", ...event };
    const headers = { "x-better-auth-secret": webhookSecret };
    expect((await send(api, "POST", "/webhooks/better-auth", { type: "user.created", data }, { headers })).status).toBe(
      200,
    );
  }
  const token = await api.identity.token(id, { claims: { email, ...said } });
  return { id, email, token };
}

type Person = Awaited<ReturnType<typeof enter>>;
const order = async ({ token }: Person, email: string) => {
  const body = { ...guest, email, order_offers: [lineOf(offerId)] };
  const placed = await send(api, "POST", "/orders", body, { token });
  expect(placed.status).toBe(201);
  return placed.body.id;
};
const passOn = async () => {
  const turn = () =>
    api.context.transact({ actorId: null, traceId: null }, (tx) =>
      fanOutEvents(tx, { staff: [], unprovedPerDay: perDay }),
    );
  while ((await turn()) > 0);
};
/** Kinds of the mails that go out to an address, with how many. */
async function sentTo(recipient: string) {
  const mails = await api.db.manager.findBy(Mail, { recipient });
  const kinds = mails.filter(({ state }) => state !== "suppressed").map(({ kind }) => kind);
  return Object.fromEntries(kinds.map((kind) => [kind, kinds.filter((one) => one === kind).length]));
}
const withoutWelcome = ({ welcome: _welcome, ...others }: Record<string, number>) => others;

/** What a user with an account can have mailed, and to which address. */
const acts: Record<
  string,
  { kind: string; to: (person: Person) => string; act: (person: Person) => Promise<unknown> }
> = {
  "an order to the account's own address": {
    kind: "order-received",
    to: ({ email }) => email,
    act: (person) => order(person, person.email),
  },
  "an order to it in capitals": {
    kind: "order-received",
    to: ({ email }) => email.toUpperCase(),
    act: (person) => order(person, person.email.toUpperCase()),
  },
  "an order to another address": {
    kind: "order-received",
    to: ({ id }) => `other-${id}@test.example`,
    act: (person) => order(person, `other-${person.id}@test.example`),
  },
  "word of a document": {
    kind: "document-ready",
    to: ({ email }) => email,
    async act(person) {
      const id = await order(person, `third-${person.id}@test.example`);
      const body = { kind: "order", format: "pdf", parameters: { id }, notify: true };
      const headers = { prefer: "respond-async" };
      const asked = await send(api, "POST", "/documents", body, { token: person.token, headers });
      expect(asked.status).toBe(202);
      const { jobId } = await api.db.manager.findOneByOrFail(Document, { id: asked.body.id });
      const file = { objectKey: "k", contentType: "t", bytes: 1, sha256: "s", sourceHash: null, readyAt: new Date() };
      await api.context.transact({ actorId: null, traceId: null }, (tx) => finishDocument(tx, String(jobId), file));
    },
  },
};

describe.each(Object.entries(acts))("%s", (_what, { kind, to, act }) => {
  const often = 4 * perDay + 1;
  const repeat = async (account: Account) => {
    const person = await enter(account);
    for (let n = 0; n < often; n++) await act(person);
    await passOn();
    return withoutWelcome(await sentTo(to(person)));
  };

  test.each(unproved)("is not mailed without end to an address that is not proved: %s", async (_name, account) => {
    expect(await repeat(account)).toEqual(kind === "document-ready" ? {} : { [kind]: perDay });
  });

  test.each(trusted)("is mailed as before otherwise: %s", async (_name, account) => {
    const isOthers = to({ id: randomUUID(), email: "", token: "" }).startsWith("other-") && account.row === undefined;
    expect(await repeat(account)).toEqual({ [kind]: isOthers ? 4 * perDay : often });
  });
});

test("a stranger's accounts with one address share its limit with the orders of guests", async () => {
  const email = `${randomUUID()}@test.example`;
  for (let n = 0; n < 3; n++) {
    const id = randomUUID();
    const token = await api.identity.token(id, { claims: { email, email_verified: false } });
    await order({ id, email, token }, email);
  }
  await send(api, "POST", "/orders", { ...guest, email, order_offers: [lineOf(offerId)] });
  await passOn();
  expect(await sentTo(email)).toEqual({ "order-received": perDay });
});

test("what a token says of an address that is not the account's changes nothing, nor does it of staff", async () => {
  const said = async (id: string, email: string) => {
    const token = await api.identity.token(id, { claims: { email, email_verified: false } });
    expect((await send(api, "GET", `/users/${id}`, undefined, { token })).status).toBe(200);
    return (await api.db.manager.findOneByOrFail(User, { id })).emailVerified;
  };
  expect(await said(userIds.user, "another@test.example")).toBeNull();
  expect(await said(userIds.employee, "employee@test.example")).toBeNull();
  expect(await said(userIds.user, "USER@test.example")).toBe(false);
});
