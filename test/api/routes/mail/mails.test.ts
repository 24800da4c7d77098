import { describe, expect, test } from "vitest";
import { businessDay } from "../../../../src/services/business-day.ts";
import { formatDay } from "../../../../src/workers/mail/format.ts";
import { apiKey, call, useApi, useWorker } from "../../../support/api.ts";
import { addOffer } from "../../../support/goods.ts";

const api = useApi();
const { mailbox } = useWorker(api);

const order = (recipient: string, headers: Record<string, string> = { "api-key": apiKey }) =>
  call(`${api.url}/mail/${encodeURIComponent(recipient)}`, { method: "POST", headers });
const jobOf = async (id: string) => {
  const headers = { authorization: `Bearer ${api.tokens.employee}` };
  return (await call(`${api.url}/jobs/${id}`, { headers })).body;
};

describe("POST /mail/{recipient}", () => {
  test("sends the mail with a link to today's list, which is there when it arrives", async () => {
    await addOffer(api.db);
    const { status, body } = await order("anna@test.example");
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["id"]);
    await expect.poll(async () => (await jobOf(body.id)).status, { timeout: 15_000 }).toBe("succeeded");

    const [mail, ...others] = await mailbox.mailsTo("anna@test.example");
    expect(others).toEqual([]);
    expect(mail?.subject).toBe("ТЦ Форд - рассылка");
    expect(mail?.recipients).toEqual(["anna@test.example"]);
    const day = businessDay(new Date());
    const link = `${api.s3.publicUrl}/tmp/price_list_${day.split("-").reverse().join("_")}.xlsx`;
    expect(mail?.text).toContain(link);
    expect(mail?.text).toContain(formatDay(day, "ru"));
    expect(mail?.html).toContain(`href="${link}"`);
    expect((await fetch(link)).status).toBe(200);
    expect(mail?.html).toContain('href="mailto:shop@test.example?subject=unsubscribe"');
    expect(mail?.headers).toContainEqual({
      name: "List-Unsubscribe",
      value: "<mailto:shop@test.example?subject=unsubscribe>",
    });

    const [row] = await api.db.query("SELECT id, sent_at, server_answer FROM mails WHERE job_id = $1", [body.id]);
    expect(mail?.message_id).toBe(`${row.id}@test.example`);
    expect(row.server_answer).toMatch(/^250 /);
    expect(row.sent_at).toBeInstanceOf(Date);
  });

  test("goes to the address that was given, not to one at gmail.com", async () => {
    const { body } = await order("john@test.example");
    await expect.poll(async () => (await jobOf(body.id)).status, { timeout: 15_000 }).toBe("succeeded");
    expect(await mailbox.mailsTo("john@test.example")).toHaveLength(1);
    expect(await mailbox.mailsTo("john@test.example@gmail.com")).toEqual([]);
  });

  test("sends a repeated request once", async () => {
    const headers = { "api-key": apiKey, "idempotency-key": "mail-1" };
    const [first, second] = [await order("once@test.example", headers), await order("once@test.example", headers)];
    expect(second.body).toEqual(first.body);
    await expect.poll(async () => (await jobOf(first.body.id)).status, { timeout: 15_000 }).toBe("succeeded");
    expect(await mailbox.mailsTo("once@test.example")).toHaveLength(1);
  });

  test.each([
    "john",
    "a@localhost",
    "a@b.c",
    "a@x.example\r\nBcc: evil@y.example",
    "a@x.example, evil@y.example",
    "a@x.example;evil@y.example",
    "G: a@x.example, evil@y.example;",
    '"evil@y.example x"@z.example',
    "a@x.example (comment)",
    "(comment)a@x.example",
    "<a@x.example>",
    "Anna <a@x.example>",
    "иван@почта.рф",
    "a@почта.рф",
    "a@x.example\0",
    "a@@x.example",
    "a@x..example",
    ".a@x.example",
    "a..b@x.example",
    "a@[127.0.0.1]",
    "a@127.0.0.1",
    "a%evil.example@x.example",
    `${"a".repeat(250)}@x.example`,
  ])("refuses %j as a recipient", async (recipient) => {
    const { status, body } = await order(recipient);
    expect(status).toBe(422);
    expect(body.detail).toEqual(expect.arrayContaining([expect.objectContaining({ loc: ["path", "recipient"] })]));
    expect(await api.db.query("SELECT 1 FROM mails WHERE recipient = $1", [recipient.replace("\0", "")])).toEqual([]);
  });

  test("says what is wrong in the words of the contract", async () => {
    const { body } = await order("a@localhost");
    expect(body.detail).toEqual([
      {
        type: "value_error",
        loc: ["path", "recipient"],
        msg: expect.stringMatching(/^value is not a valid email address: /),
        input: "a@localhost",
        ctx: { reason: expect.any(String) },
      },
    ]);
  });

  test.each([["o'neil+list_1@mail.test.example"], ["a@xn--80a1acny.example"]])("takes %j", async (recipient) => {
    expect((await order(recipient)).status).toBe(200);
  });

  test.each([" pasted@x.example", "pasted@x.example\r\n"])(
    "takes %j for the address without what is around it",
    async (given) => {
      const { status, body } = await order(given);
      expect(status).toBe(200);
      const rows = await api.db.query("SELECT recipient FROM mails WHERE job_id = $1", [body.id]);
      expect(rows).toEqual([{ recipient: "pasted@x.example" }]);
    },
  );

  test("needs the key, and looks at it first", async () => {
    expect((await order("john", {})).status).toBe(401);
    expect((await order("john@test.example", { "api-key": "wrong" })).status).toBe(401);
    expect((await order("john@test.example", { authorization: `Bearer ${api.tokens.admin}` })).status).toBe(401);
  });
});
