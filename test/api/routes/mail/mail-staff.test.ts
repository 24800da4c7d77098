import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { requestMails } from "../../../../src/services/mail/mails.ts";
import { type Answer, call, paymentSecret, useApi, userIds, useWorker } from "../../../support/api.ts";
import { haveTodaysList } from "../../../support/mail-engine.ts";

const api = useApi();
const { mailbox } = useWorker(api, { links: true });
beforeAll(async () => {
  await haveTodaysList(api.db);
  api.context.mailWebhook = new Webhook(paymentSecret);
});

const asStaff = (path: string, init: RequestInit = {}) =>
  call(api.url + path, {
    ...init,
    headers: { authorization: `Bearer ${api.tokens.employee}`, "content-type": "application/json" },
  });
const post = (path: string, body: unknown) => asStaff(path, { method: "POST", body: JSON.stringify(body) });

interface Shown {
  id: string;
  state: string;
  job_id: string;
  [more: string]: unknown;
}
const itemsOf = ({ body }: Answer) => body.items as unknown as Shown[];
const mailsTo = async (recipient: string) => itemsOf(await asStaff(`/mail?recipient=${encodeURIComponent(recipient)}`));

/** Promises a mail and waits until it is over. */
async function send(recipient: string) {
  const request = { event: randomUUID(), kind: "price-list", recipient } as const;
  const [jobId] = await api.context.transact({ actorId: null, traceId: null }, (tx) => requestMails(tx, [request]));
  return over(recipient, String(jobId));
}

async function over(recipient: string, jobId: string) {
  return vi.waitFor(
    async () => {
      const mail = (await mailsTo(recipient)).find(({ job_id }) => job_id === jobId);
      expect(["sent", "failed", "suppressed"]).toContain(mail?.state);
      return mail as Shown;
    },
    { timeout: 15_000 },
  );
}

describe("GET /mail", () => {
  test("says what was sent to whom, and what the server said", async () => {
    const { id } = await send("Anna@test.example");
    const [mail, ...others] = await mailsTo("anna@TEST.example");
    expect(others).toEqual([]);
    expect(mail).toMatchObject({
      id,
      kind: "price-list",
      recipient: "Anna@test.example",
      language: "ru",
      state: "sent",
      tries: 1,
      message_id: `${id}@test.example`,
      smtp_code: 250,
      server_answer: expect.stringMatching(/^250 /),
    });
  });

  test("shows by state what became of a mail whose job is over", async () => {
    const shown = async (state: string, jobState: string) => {
      const { id, job_id } = await send(`${state}-${jobState}@test.example`);
      await api.db.query("UPDATE mails SET state = $2 WHERE id = $1", [id, state]);
      await api.db.query("UPDATE job SET state = $2 WHERE id = $1", [job_id, jobState]);
      const [mail] = await mailsTo(`${state}-${jobState}@test.example`);
      const listed = itemsOf(await asStaff(`/mail?state=${mail?.state}`));
      expect(listed.map((one) => one.id)).toContain(id);
      return mail?.state;
    };
    expect(await shown("queued", "cancelled")).toBe("cancelled");
    expect(await shown("retry", "failed")).toBe("failed");
    expect(await shown("sending", "failed")).toBe("unknown");
    expect(await shown("unknown", "unknown")).toBe("unknown");
  });

  test("finds by part of an address nothing", async () => {
    await send("part@test.example");
    expect(await mailsTo("part")).toEqual([]);
    expect(await mailsTo("%")).toEqual([]);
  });
});

describe("POST /mail/{mail_id}/resend", () => {
  test("sends what was sent again as a new mail, and keeps the reason", async () => {
    const first = await send("again@test.example");
    const { status, body } = await post(`/mail/${first.id}/resend`, { reason: "did not arrive" });
    expect(status).toBe(200);
    const { mail_id, job_id } = body as unknown as { mail_id: string; job_id: string };
    expect(mail_id).not.toBe(first.id);
    const second = await over("again@test.example", job_id);
    expect(second).toMatchObject({ id: mail_id, state: "sent", resend_of: first.id, resend_reason: "did not arrive" });
    expect(await mailbox.mailsTo("again@test.example")).toHaveLength(2);
  });

  test("sends what is in doubt again under its own Message-ID", async () => {
    const { id, job_id, message_id } = await send("doubt@test.example");
    await api.db.query("UPDATE mails SET state = 'unknown', sent_at = NULL WHERE id = $1", [id]);
    await api.db.query("UPDATE job SET state = 'unknown' WHERE id = $1", [job_id]);
    expect((await post(`/mail/${id}/resend`, { reason: "not in the log" })).body).toEqual({ mail_id: id, job_id });
    const mail = await over("doubt@test.example", job_id);
    expect(mail).toMatchObject({ state: "sent", message_id, resend_reason: "not in the log", resend_of: null });
    const copies = await mailbox.mailsTo("doubt@test.example");
    expect(copies.map((copy) => copy.message_id)).toEqual([message_id, message_id]);
  });

  test("refuses what is on its way, what there is not, and no reason", async () => {
    const { id, job_id } = await send("busy@test.example");
    await api.db.query("UPDATE mails SET state = 'sending' WHERE id = $1", [id]);
    await api.db.query("UPDATE job SET finished_at = NULL, state = 'running' WHERE id = $1", [job_id]);
    expect((await post(`/mail/${id}/resend`, { reason: "x" })).status).toBe(409);
    expect((await post(`/mail/${randomUUID()}/resend`, { reason: "x" })).status).toBe(404);
    expect((await post(`/mail/${id}/resend`, { reason: " " })).status).toBe(422);
    await api.db.query("UPDATE job SET finished_at = now(), state = 'failed' WHERE id = $1", [job_id]);
  });
});

describe("the suppression list", () => {
  test("keeps all mail from an address, whatever its case, until it is taken off", async () => {
    expect((await post("/mail/suppressions", { address: "No@test.example", detail: "asked by phone" })).body).toEqual({
      address: "no@test.example",
      reason: "staff",
      detail: "asked by phone",
      created_by: userIds.employee,
      created_at: expect.any(String),
    });
    const { state, server_answer } = await send("nO@test.example");
    expect([state, server_answer]).toEqual([
      "suppressed",
      "Its recipient is on the suppression list: staff, asked by phone",
    ]);
    expect(await mailbox.mailsTo("no@test.example")).toEqual([]);
    const listed = (await asStaff("/mail/suppressions")).body.items as unknown as { address: string }[];
    expect(listed.map(({ address }) => address)).toContain("no@test.example");
    expect((await asStaff("/mail/suppressions/NO@test.example", { method: "DELETE" })).status).toBe(204);
    expect((await asStaff("/mail/suppressions/no@test.example", { method: "DELETE" })).status).toBe(404);
    expect((await send("no@test.example")).state).toBe("sent");
  });

  const webhook = new Webhook(paymentSecret);
  function tell(event: unknown, { prefix = "webhook", at = new Date() } = {}) {
    const text = typeof event === "string" ? event : JSON.stringify(event);
    const id = `evt_${randomUUID()}`;
    const headers = {
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(Math.floor(at.getTime() / 1_000)),
      [`${prefix}-signature`]: webhook.sign(id, at, text),
    };
    return call(`${api.url}/webhooks/mail`, { method: "POST", body: text, headers });
  }

  test.each(["webhook", "svix"])("takes bounces and complaints, signed by %s headers", async (prefix) => {
    const to = [`${prefix}-gone@test.example`];
    const bounce = { type: "Permanent", message: "550 no such user" };
    expect((await tell({ type: "email.bounced", data: { to, bounce } }, { prefix })).status).toBe(200);
    expect((await tell({ type: "email.complained", data: { to } }, { prefix })).status).toBe(200);
    const { state, server_answer } = await send(`${prefix}-gone@test.example`);
    expect([state, server_answer]).toEqual([
      "suppressed",
      "Its recipient is on the suppression list: bounce, 550 no such user",
    ]);
  });

  test("lets pass what says nothing about an address", async () => {
    const to = ["full@test.example"];
    const soft = { type: "email.bounced", data: { to, bounce: { type: "Transient", message: "full" } } };
    expect((await tell(soft)).body.message).toBe("Event of no interest");
    for (const message of [
      "smtp; 554 5.7.1 <full@test.example>: Relay access denied",
      "550-5.7.26 This mail is unauthenticated",
      "The server said: 552 5.3.4 Message too big",
    ]) {
      const aboutUs = { type: "email.bounced", data: { to, bounce: { type: "Permanent", message } } };
      expect((await tell(aboutUs)).body.message).toBe("Event of no interest");
    }
    expect((await tell({ type: "email.delivered", data: { to } })).body.message).toBe("Event of no interest");
    expect((await send("full@test.example")).state).toBe("sent");
  });

  test("refuses a webhook with a wrong signature, an old one, and one that makes no sense", async () => {
    const event = { type: "email.complained", data: { to: ["x@test.example"] } };
    expect((await call(`${api.url}/webhooks/mail`, { method: "POST", body: JSON.stringify(event) })).status).toBe(401);
    expect((await tell(event, { at: new Date(Date.now() - 600_000) })).status).toBe(401);
    expect((await tell("{")).status).toBe(400);
    expect((await tell({ type: "email.complained", data: { to: ["a@x.example, evil@y.example"] } })).status).toBe(400);
  });
});

describe("the unsubscribe link", () => {
  /** What a mail program finds in the header. */
  async function linkIn(recipient: string) {
    await send(recipient);
    const [mail] = await mailbox.mailsTo(recipient);
    const header = (name: string) => mail?.headers.find((one) => one.name === name)?.value;
    expect(header("List-Unsubscribe-Post")).toBe("List-Unsubscribe=One-Click");
    const [, link = ""] = /^<https:\/\/api\.test(\/mail\/unsubscribe\/[^>]+)>, <mailto:/.exec(
      String(header("List-Unsubscribe")).replaceAll(/\s+/g, " "),
    ) ?? [""];
    expect(mail?.html).toContain(`https://api.test${link}`);
    return link;
  }
  const oneClick = {
    method: "POST",
    body: "List-Unsubscribe=One-Click",
    headers: { "content-type": "application/x-www-form-urlencoded" },
  };

  test("works with one click and without a login, and may be repeated", async () => {
    await api.db.query("UPDATE users SET mailing = true, email = 'Reader@test.example' WHERE id = $1", [userIds.user]);
    const link = await linkIn("reader@test.example");
    for (const _time of [1, 2]) expect((await call(api.url + link, oneClick)).status).toBe(200);
    const [user] = await api.db.query("SELECT mailing FROM users WHERE id = $1", [userIds.user]);
    expect(user.mailing).toBe(false);
    expect((await send("reader@test.example")).state).toBe("suppressed");
  });

  test("asks before it does anything when it is only opened", async () => {
    const link = await linkIn("curious@test.example");
    const { status, text } = await call(api.url + link);
    expect([status, text]).toEqual([200, expect.stringContaining('<form method="post">')]);
    expect((await send("curious@test.example")).state).toBe("sent");
  });

  test("is good for no other mail, and for none that never was", async () => {
    const link = await linkIn("forged@test.example");
    const token = link.slice(link.lastIndexOf("/") + 1);
    const [id = "", signature = ""] = token.split(".");
    for (const wrong of [`${randomUUID()}.${signature}`, `${id}.${"A".repeat(22)}`, id, "x"]) {
      expect((await call(`${api.url}/mail/unsubscribe/${wrong}`, oneClick)).status, wrong).toBe(404);
    }
    expect((await send("forged@test.example")).state).toBe("sent");
  });
});
