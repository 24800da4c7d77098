import { expect, test } from "vitest";
import { priceListMail } from "../../../src/workers/mail/price-list-mail.ts";

const mail = {
  day: "2026-11-22",
  listUrl: "https://s3.test/tmp/list.xlsx",
  unsubscribeUrl: undefined,
  sender: "shop@test.example",
};

test("both parts of the mail have the day, the link and a way out", () => {
  const { subject, text, html, headers } = priceListMail(mail);
  expect(subject).toBe("ТЦ Форд - рассылка");
  for (const part of [text, html]) {
    expect(part).toContain("22.11.2026");
    expect(part).toContain(mail.listUrl);
    expect(part).toContain(mail.sender);
  }
  expect(headers["List-Unsubscribe"]).toBe("<mailto:shop@test.example?subject=unsubscribe>");
});

test("what is put into the mail is text in HTML and itself in plain text", () => {
  const listUrl = 'https://s3.test/?a=1&b="><script>alert(1)</script>{{x}}<%= y %>';
  const { text, html } = priceListMail({ ...mail, listUrl });
  expect(html).not.toMatch(/<script|b=">/);
  expect(html).toContain("?a=1&amp;b=&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{x}}&lt;%= y %&gt;");
  expect(text).toContain(listUrl);
});
