import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { routes } from "../../../src/api/routes/index.ts";
import { createMailLinks } from "../../../src/platform/mail-links.ts";
import { apiKey, call, mailLinkSecret, paymentSecret, useApi, userIds, webhookSecret } from "../../support/api.ts";

const most = 4;
const limit = { points: most, seconds: 60 };
const api = useApi({ relay: false, trustProxy: 1, limits: { credentials: limit, expired: limit } });

interface Attempt {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const json = { "content-type": "application/json" };
const form = { "content-type": "application/x-www-form-urlencoded" };
const links = createMailLinks({ publicUrl: "", secret: mailLinkSecret });
const forgedLink = `/mail/unsubscribe/${randomUUID()}.${"A".repeat(22)}`;

function signed(path: string, secret: string) {
  const [id, now, body] = [randomUUID(), new Date(), JSON.stringify({ type: "of no interest", data: {} })];
  const signature = new Webhook(secret).sign(id, now, body);
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": signature,
  };
  return { path, method: "POST", headers, body };
}
const otherSecret = `whsec_${Buffer.from("another-secret-of-24-byte").toString("base64")}`;

/** Each kind of credential: what is wrong and how that is answered, what is right and how that is. */
const kinds: Record<string, { wrong: () => Attempt; refused: number; right: () => Attempt; taken: number }> = {
  "a token": {
    wrong: () => ({ path: `/jobs/${randomUUID()}`, headers: bearer("a.b.c") }),
    refused: 401,
    right: () => ({ path: `/jobs/${randomUUID()}`, headers: bearer(api.tokens.user) }),
    taken: 404,
  },
  "a token of the warehouse": {
    wrong: () => ({ path: "/warehouse/users", headers: bearer("a.b.c") }),
    refused: 401,
    right: () => ({ path: "/warehouse/users", headers: bearer(api.tokens.employee) }),
    taken: 200,
  },
  "a token where none is needed": {
    wrong: () => ({ path: `/orders/${randomUUID()}`, headers: bearer("a.b.c") }),
    refused: 401,
    right: () => ({ path: `/orders/${randomUUID()}`, headers: bearer(api.tokens.user) }),
    taken: 404,
  },
  "a token for a printout": {
    wrong: () => ({ path: `/print/orders/${randomUUID()}`, headers: bearer("a.b.c") }),
    refused: 401,
    right: () => ({ path: `/print/orders/${randomUUID()}`, headers: bearer(api.tokens.employee) }),
    taken: 404,
  },
  "an API key": {
    wrong: () => ({ path: "/mail/unknown", method: "POST", headers: { "api-key": "wrong" } }),
    refused: 401,
    right: () => ({ path: "/mail/unknown", method: "POST", headers: { "api-key": apiKey } }),
    taken: 422,
  },
  "the secret of the identity provider": {
    wrong: () => ({ path: "/webhooks/better-auth", method: "POST", headers: { "x-better-auth-secret": "wrong" } }),
    refused: 401,
    right: () => ({
      path: "/webhooks/better-auth",
      method: "POST",
      headers: { "x-better-auth-secret": webhookSecret },
      body: "{}",
    }),
    taken: 400,
  },
  "the signature of a payment provider": {
    wrong: () => signed("/webhooks/payments/test", otherSecret),
    refused: 401,
    right: () => signed("/webhooks/payments/test", paymentSecret),
    taken: 200,
  },
  "the signature of the mail provider": {
    wrong: () => signed("/webhooks/mail", otherSecret),
    refused: 401,
    right: () => signed("/webhooks/mail", paymentSecret),
    taken: 200,
  },
  "a link to unsubscribe": {
    wrong: () => ({ path: forgedLink }),
    refused: 404,
    right: () => ({ path: links.unsubscribeUrl(randomUUID()) }),
    taken: 200,
  },
  "one click to unsubscribe": {
    wrong: () => ({ path: forgedLink, method: "POST" }),
    refused: 404,
    // Signed by us, and its mail is gone.
    right: () => ({ path: links.unsubscribeUrl(randomUUID()), method: "POST" }),
    taken: 404,
  },
  "the login of the board": {
    wrong: () => ({ path: "/admin/queues/login", method: "POST", headers: form, body: "token=a.b.c" }),
    refused: 401,
    right: () => ({ path: "/admin/queues/login", method: "POST", headers: form, body: `token=${api.tokens.admin}` }),
    taken: 303,
  },
  "the cookie of the board": {
    wrong: () => ({ path: "/admin/queues/api/queues", headers: { cookie: "tcf_board=a.b.c" } }),
    refused: 401,
    right: () => ({ path: "/admin/queues/api/queues", headers: { cookie: `tcf_board=${api.tokens.admin}` } }),
    taken: 200,
  },
  "a token for the board": {
    wrong: () => ({ path: "/admin/queues/api/queues", headers: bearer("a.b.c") }),
    refused: 401,
    right: () => ({ path: "/admin/queues/api/queues", headers: bearer(api.tokens.admin) }),
    taken: 200,
  },
};

async function send({ path, headers = {}, ...init }: Attempt, address: string) {
  const from = { "x-forwarded-for": address, ...(init.body?.startsWith("{") ? json : {}) };
  return call(api.url + path, { ...init, headers: { ...from, ...headers }, redirect: "manual" });
}

async function statusesOf(times: number, attempt: () => Attempt, address: string) {
  const statuses = [];
  for (let turn = 0; turn < times; turn++) statuses.push((await send(attempt(), address)).status);
  return statuses;
}

let clients = 0;
const newClient = () => `192.0.2.${++clients}`;

describe("of one address", () => {
  test.each(Object.entries(kinds))(
    "%s is accepted when it is right, however many wrong ones came",
    async (_name, kind) => {
      api.context.mailWebhook = new Webhook(paymentSecret);
      const client = newClient();
      const answers = await statusesOf(most + 2, kind.wrong, client);
      expect(answers).toEqual([...Array(most).fill(kind.refused), 429, 429]);
      expect(await statusesOf(2, kind.right, client)).toEqual([kind.taken, kind.taken]);
      expect((await send(kind.wrong(), client)).headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
      expect((await send(kind.wrong(), newClient())).status).toBe(kind.refused);
    },
  );

  test("wrong ones of all kinds count together, and no route takes a credential that this walk leaves out", async () => {
    const client = newClient();
    const wrongs = Object.values(kinds).slice(0, most);
    for (const { wrong, refused } of wrongs) expect((await send(wrong(), client)).status).toBe(refused);
    for (const { wrong } of Object.values(kinds)) expect((await send(wrong(), client)).status).toBe(429);
    const walked = ["USER", "EMPLOYEE", "ADMIN", "optional", "print", "api-key", "webhook", "public"];
    expect([...new Set(routes.map(({ access }) => access))].filter((access) => !walked.includes(access))).toEqual([]);
  });

  test("tokens that have expired count apart: neither do they use up the wrong ones, nor those them", async () => {
    const client = newClient();
    const token = await api.identity.token(userIds.admin, { expires: "-10m" });
    const expired = () => ({ path: `/jobs/${randomUUID()}`, headers: bearer(token) });
    const { wrong, right, taken } = kinds["a token"] as (typeof kinds)[string];
    expect(await statusesOf(most + 1, wrong, client)).toEqual([...Array(most).fill(401), 429]);
    expect(await statusesOf(most + 1, expired, client)).toEqual([...Array(most).fill(401), 429]);
    expect((await send(right(), client)).status).toBe(taken);
  });
});
