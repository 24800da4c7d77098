import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Language } from "../../src/db/entities/accounts/user.ts";
import { requestEventMails } from "../../src/services/mail/event-mails.ts";
import { type MailRequest, requestMails } from "../../src/services/mail/mails.ts";
import { fanOutEvents } from "../../src/services/webhooks/events.ts";
import { apiKey, call, useApi, userIds, useWorker, webhookSecret } from "../support/api.ts";
import { addOffer } from "../support/catalogue.ts";
import type { ReceivedMail } from "../support/mailbox.ts";
import { addOrder, addPayment } from "../support/orders.ts";
import { guest, lineOf } from "../support/shop.ts";
import { addUser } from "../support/users.ts";
import { addWaybill } from "../support/waybills.ts";

const api = useApi();
const { mailbox } = useWorker(api, { links: true });
const origin = { actorId: null, traceId: null };
let productName: string;
let offerId: string;
beforeAll(async () => {
  productName = "Масло <моторное> & «5W-30»";
  offerId = (await addOffer(api.db, { product: { name: productName } })).id;
});

const arrived = async (recipient: string, count = 1): Promise<ReceivedMail[]> =>
  vi.waitFor(
    async () => {
      const mails = await mailbox.mailsTo(recipient);
      expect(mails).toHaveLength(count);
      return mails;
    },
    { timeout: 20_000, interval: 100 },
  );
const send = (wanted: Omit<MailRequest, "event">) =>
  api.context.transact(origin, (tx) => requestMails(tx, [{ event: randomUUID(), ...wanted }]));
const post = (path: string, headers: Record<string, string>, body: unknown) =>
  call(api.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

async function addReader(language: Language) {
  const user = await addUser(api.db, { language, firstName: "Анна <i>" });
  return { ...user, as: { authorization: `Bearer ${await api.identity.token(user.id)}` } };
}

test("a mail names the request that wanted it", async () => {
  const [recipient, request] = [`${randomUUID()}@test.example`, randomUUID()];
  const wanted = { recipient, first_name: "Anna", url: "https://ford-parts.com.ru/verify?token=1", language: "en" };
  const { status } = await post("/mail/verifications", { "api-key": apiKey, "x-request-id": request }, wanted);
  expect(status).toBe(200);
  const [mail] = await arrived(recipient);
  expect(mail?.headers).toContainEqual({ name: expect.stringMatching(/^x-request-id$/i), value: request });
});

describe.each(["", "/warehouse"])("under the path '%s/'", (base) => {
  test("a guest's waybill is mailed to the guest, in Russian and without the name of the employee", async () => {
    const employee = await addUser(api.db, { role: "EMPLOYEE", language: "en", firstName: "Bartholomew" });
    const as = { authorization: `Bearer ${await api.identity.token(employee.id)}` };
    const email = `${randomUUID()}@test.example`;
    const { id: sold } = await addOffer(api.db, { quantity: 5 });
    const order = await post(`${base}/orders`, {}, { ...guest, email, order_offers: [lineOf(sold)] });
    const waybill = await post(`${base}/orders/${order.body.id}/convert`, as, {});
    expect((await post(`${base}/waybills/${waybill.body.id}/commit`, as, {})).status).toBe(201);
    const rules = { staff: [], unprovedPerDay: 0 };
    while ((await api.context.transact(origin, (tx) => fanOutEvents(tx, rules))) > 0);
    const mails = await arrived(email, 2);
    const mail = mails.find(({ subject }) => subject.startsWith("Накладная"));
    expect(mail?.text).toContain("проведена");
    expect(JSON.stringify(mails)).not.toContain(employee.firstName);
  });

  test("an order by a carrier is mailed with carrier, address and a link to its page, to guest and staff", async () => {
    const staffAddress = `${randomUUID()}@test.example`;
    const email = `${randomUUID()}@test.example`;
    const { body } = await post(`${base}/orders`, {}, { ...guest, email, order_offers: [lineOf(offerId)] });
    const rules = { staff: [staffAddress], unprovedPerDay: 0 };
    while ((await api.context.transact(origin, (tx) => fanOutEvents(tx, rules))) > 0);
    for (const [mail] of [await arrived(email), await arrived(staffAddress)]) {
      expect(mail?.text).toContain("Транспортная компания, СДЭК");
      expect(mail?.text).toContain("Россия, Севастополь, ул. Хрусталёва, 74Ж");
      expect(mail?.html).toContain(`href="https://shop.test/orders/${body.id}"`);
    }
  });
});

describe.each(["ru", "en"] as const)("in the language %s", (language) => {
  const words = (ru: string, en: string) => ({ ru, en })[language];

  test("an order, its payment and its waybill are mailed with what is in them", async () => {
    const { id: userId, email } = await addReader(language);
    const lines = [{ offerId, quantity: 2, priceRub: 1_234 }];
    const order = await addOrder(api.db, { userId, email, firstName: "Анна <i>", lines });
    const paymentId = randomUUID();
    await addPayment(api.db, { id: paymentId, orderId: order.id, amountRub: 500 });
    const waybill = await addWaybill(api.db, { orderId: order.id, customerId: userId, lines });
    const events = [
      ["order.created", order.id, {}],
      ["order.status_changed", order.id, { status: "SHIPPING" }],
      ["payment.paid", paymentId, {}],
      ["waybill.committed", waybill.id, {}],
    ] as const;
    const staff = [`staff-${language}@test.example`];
    for (const [type, entityId, data] of events) {
      await api.context.transact(origin, (tx) =>
        requestEventMails(tx, [{ id: randomUUID(), type, entityId, data }], { staff, unprovedPerDay: 5 }),
      );
    }
    const mails = await arrived(email, events.length);
    const bySubject = (part: string) => mails.find(({ subject }) => subject.includes(part));
    const received = bySubject(words("принят", "received order"));
    expect(received?.text).toContain(productName);
    expect(received?.text.replaceAll(/\s/g, " ")).toContain(words("2 468 ₽", "RUB 2,468"));
    expect(received?.html).not.toContain("<i>");
    expect(received?.html).toContain("Масло &lt;моторное&gt; &amp; «5W-30»");
    expect(bySubject(words("Оплата", "payment"))?.text.replaceAll(/\s/g, " ")).toContain(words("500 ₽", "RUB 500"));
    expect(mails.some(({ text }) => text.includes(words("отправлен", "on its way")))).toBe(true);
    const withFile = bySubject(words("Накладная", "Waybill"));
    const { attachments } = withFile as unknown as { attachments: { file_name: string; content_type: string }[] };
    expect(attachments).toMatchObject([{ file_name: `waybill_${waybill.id}.pdf`, content_type: "application/pdf" }]);
    const [toStaff] = await arrived(String(staff[0]));
    expect(toStaff?.text).toContain(productName);
  });

  test("a document that was asked for is mailed about when it is made, and only if that was wanted", async () => {
    const { id: userId, email, as } = await addReader(language);
    const order = await addOrder(api.db, { userId, lines: [{ offerId }] });
    const wanted = { kind: "order", format: "pdf", parameters: { id: order.id } };
    expect((await post("/documents", as, wanted)).status).toBe(201);
    const { status, body } = await post("/documents", as, { ...wanted, format: "xlsx", notify: true });
    expect(status).toBe(201);
    const [mail] = await arrived(email);
    expect(mail?.text).toContain(`https://api.test/documents/${body.id}/download`);
    expect(mail?.subject).toBe(words("Документ готов", "Your document is ready"));
  });

  test("the identity provider has an address proven, with a link to the shop alone", async () => {
    const recipient = `${randomUUID()}@test.example`;
    const ask = (url: string) =>
      post("/mail/verifications", { "api-key": apiKey }, { recipient, first_name: "Анна", url, language });
    for (const url of [
      "https://evil.example/verify",
      "https://ford-parts.com.ru.evil.example/",
      "http://ford-parts.com.ru/",
    ])
      expect((await ask(url)).status).toBe(400);
    const url = `https://ford-parts.com.ru/verify?token=${randomUUID()}&a=1`;
    expect((await ask(url)).status).toBe(200);
    expect((await ask(url)).status).toBe(200);
    const [mail] = await arrived(recipient);
    expect(mail?.text).toContain(url);
    expect(mail?.subject).toBe(words("Подтвердите адрес электронной почты", "Confirm your e-mail address"));
  });

  test("the link that proves an address is shown by no route, and forgotten when it is sent", async () => {
    const recipient = `${randomUUID()}@test.example`;
    const token = randomUUID();
    const url = `https://ford-parts.com.ru/verify?token=${token}`;
    const body = { recipient, first_name: "Анна", url, language };
    expect((await post("/mail/verifications", { "api-key": apiKey }, body)).status).toBe(200);
    const stored = async () => {
      const rows = await api.db.query(
        "SELECT to_jsonb(mails) AS mail, to_jsonb(job) AS job FROM mails JOIN job ON job.id = job_id WHERE recipient = $1",
        [recipient],
      );
      return JSON.stringify(rows);
    };
    await arrived(recipient);
    await vi.waitFor(async () => expect(await stored()).not.toContain(token), 10_000);
    const asStaff = { authorization: `Bearer ${api.tokens.admin}` };
    const list = await call(`${api.url}/mail?recipient=${recipient}`, { headers: asStaff });
    const [mail] = list.body.items as unknown as { id: string; job_id: string; state: string }[];
    expect(mail?.state).toBe("sent");
    const job = await call(`${api.url}/jobs/${mail?.job_id}`, { headers: asStaff });
    expect(JSON.stringify([list.body, job.body])).not.toContain(token);
    const again = await post(`/mail/${mail?.id}/resend`, asStaff, { reason: "a test" });
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining("is not kept")]);
  });

  test("staff is told what is nearly gone", async () => {
    const recipient = `${randomUUID()}@test.example`;
    const waybill = await addWaybill(api.db, { lines: [{ offerId }] });
    await api.db.query(
      `INSERT INTO stock_movements (offer_id, waybill_id, waybill_offer_id, waybill_type, delta, quantity_before,
         quantity_after, user_id, created_at) VALUES ($1, $2, $3, 'WAYBILL_OUT', -1, 11, 10, $4, '2026-11-21T12:00:00Z')`,
      [offerId, waybill.id, waybill.lineIds[0], userIds.employee],
    );
    const parameters = { atMost: 10, since: "2026-11-21T05:00:00Z", until: "2026-11-22T05:00:00Z" };
    await send({ kind: "low-stock", recipient, language, parameters });
    const [mail] = await arrived(recipient);
    expect(mail?.text).toContain(productName);
  });
});

test("a user who registers is welcomed, by no name: the address may be another person's", async () => {
  const id = randomUUID();
  const email = `${id}@test.example`;
  const user = { id, email, first_name: "Анна <i>", last_name: "Петрова" };
  const event = { type: "user.created", data: user };
  expect((await post("/webhooks/better-auth", { "x-better-auth-secret": webhookSecret }, event)).status).toBe(200);
  const [mail] = await arrived(email);
  expect(mail?.text).toContain("Здравствуйте!");
  expect(`${mail?.subject}${mail?.text}${mail?.html}`).not.toContain("Анна");
});
