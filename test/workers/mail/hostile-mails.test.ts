import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { languages } from "../../../src/db/entities/accounts/user.ts";
import { type MailKindName, mailKinds } from "../../../src/jobs/mail-kinds.ts";
import { BadRecipientError, createMailer, type Mailer } from "../../../src/platform/mailer.ts";
import { compose, type MailTemplate } from "../../../src/workers/mail/compose.ts";
import { templates } from "../../../src/workers/mail/templates/index.ts";
import { type ReceivedMail, useMailbox } from "../../support/mailbox.ts";

// Whatever strangers call themselves, their notes and their files, and whatever stands where an
// address should be, there is one mail to one recipient, and nothing in it that we did not write.

const mailbox = useMailbox();
const evil = "evil@test.example";
let mailer: Mailer;
beforeAll(() => {
  mailer = createMailer(mailbox.mailerOptions());
});
afterAll(() => mailer.close());

const send = (mail: Partial<Parameters<Mailer["send"]>[0]> & { to: string }) =>
  mailer.send(
    { messageId: `${randomUUID()}@test.example`, subject: "s", text: "t", html: "<p>h</p>", ...mail },
    { signal: new AbortController().signal },
  );

/** In each of them `evil` stands where it would do harm. */
const words: [what: string, text: string][] = [
  ["a header on a line of its own", `Anna\r\nBcc: ${evil}`],
  ["a header behind a lone CR", `Anna\rBcc: ${evil}`],
  ["a header behind a lone LF", `Anna\nTo: ${evil}\nX-Evil: 1`],
  ["a folded header", `Anna\r\n\tBcc: ${evil}`],
  ["a header behind a line separator", `Anna\u2028Bcc: ${evil}\u0085Cc: ${evil}`],
  ["the end of the head", `Anna\r\n\r\n<script>alert(1)</script>`],
  [
    "the end of the mail and another one",
    `Anna\r\n.\r\nMAIL FROM:<${evil}>\r\nRCPT TO:<${evil}>\r\nDATA\r\nx\r\n.\r\n`,
  ],
  ["the end of the mail as careless servers see it", `Anna\n.\nMAIL FROM:<${evil}>\nRCPT TO:<${evil}>\n`],
  ["an encoded header", `=?utf-8?q?Anna=0D=0ABcc:_${evil}?=`],
  ["NUL and other control characters", `A\0n\u0007n\u001ba\u007f`],
  ["an address", `"${evil}" <${evil}>, ${evil}`],
  ["a boundary", `Anna\r\n----_NmP-1\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n`],
  ["a template", `{{constructor.constructor "return process"}}{{{heading}}}{{#each lines}}x{{/each}}{{> layout}}`],
  ["other templates", `<%= 1 %>\${1}#{1}[[subject]]{% raw %}`],
  ["HTML", `<b>Anna</b><script>alert(1)</script><img src=x onerror=alert(1)><a href="https://evil.example">x</a>`],
  ["the end of what it stands in", `</title></style></td></table></body>--><script>alert(1)</script>`],
  ["the end of an attribute", `" onmouseover="alert(1)' onclick='alert(2)\` autofocus`],
  ["entities", "&lt;script&gt;&#60;b&#62;&amp;lt;"],
  ["writing from right to left", "\u202eelpmaxe.tset@live\u202c"],
  ["half a character", "Anna \ud83d"],
  ["a very long word", "x".repeat(5_000)],
  ["very many lines", "x\r\n".repeat(2_000)],
];

const kinds = Object.keys(mailKinds) as MailKindName[];
const strangers = new Set(
  ["firstName", "lastName", "name", "brand", "manufacturerNumber", "phone", "email", "note", "fileName"].concat([
    "country",
    "postalCode",
    "city",
    "address",
    "street",
    "house",
    "shippingCompany",
  ]),
);

/** The example with the words of a stranger wherever there are a stranger's words. */
function spoilt<T>(value: T, text: string): T {
  if (Array.isArray(value)) return value.map((item) => spoilt(item, text)) as T;
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const entries = Object.entries(value).map(([key, of]) => [key, strangers.has(key) ? text : spoilt(of, text)]);
  return Object.fromEntries(entries) as T;
}

function written(kind: MailKindName, language: (typeof languages)[number], text?: string) {
  const { write, example } = templates[kind];
  const data = text === undefined ? example : spoilt<unknown>(example, text);
  return compose((write[language] as (data: unknown) => MailTemplate)(data), { language, origins: [] });
}

const tagsOf = (html: string) => html.match(/<[^>]*>/g) ?? [];

const headersOf = (mail?: ReceivedMail) => mail?.headers.map(({ name }) => name.toLowerCase()).sort();
const arrivedAt = async (to: string) => {
  const [mail, ...others] = await mailbox.mailsTo(to);
  expect(others).toEqual([]);
  return mail;
};
const harmless = new Map<MailKindName, ReturnType<typeof headersOf>>();

describe.each(words)("%s in what strangers wrote", (_what, text) => {
  test.each(kinds)("is text in the mail %s", async (kind) => {
    if (!harmless.has(kind)) {
      const to = `${randomUUID()}@test.example`;
      await send({ to, ...written(kind, "ru") });
      harmless.set(kind, headersOf(await arrivedAt(to)));
    }
    for (const language of languages) {
      const to = `${randomUUID()}@test.example`;
      const mail = written(kind, language, text);
      expect(tagsOf(mail.html)).toEqual(tagsOf(written(kind, language).html));
      await send({ to, ...mail });
      const got = await arrivedAt(to);
      expect(got?.recipients).toEqual([to]);
      expect(headersOf(got)).toEqual(harmless.get(kind));
      expect(got?.headers.find(({ name }) => name.toLowerCase() === "to")?.value).toBe(to);
      expect(got?.subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }
    expect(await mailbox.mailsTo(evil)).toEqual([]);
  });
});

/** What the routes refuse, should it ever get as far as here: from an old row, or by a mistake of ours. */
const addresses: [what: string, address: string][] = [
  ["a header", `a@x.example\r\nBcc: ${evil}`],
  ["a command", `a@x.example>\r\nRCPT TO:<${evil}`],
  ["a parameter of the command", `a@x.example> NOTIFY=SUCCESS ORCPT=rfc822;${evil}`],
  ["a lone LF", `a@x.example\nCc: ${evil}`],
  ["NUL", `a@x.example\0${evil}`],
  ["a list", `a@x.example, ${evil}`],
  ["a list with semicolons", `a@x.example;${evil}`],
  ["a group", `G: a@x.example, ${evil};`],
  ["a quoted local part", `"${evil} x"@z.example`],
  ["a quoted local part with a comma", `"a,${evil}"@z.example`],
  ["a comment", `a@x.example (${evil})`],
  ["a comment in front", `(${evil})a@x.example`],
  ["angle brackets", `a@x.example <${evil}>`],
  ["a display name", `"a@x.example" <${evil}>`],
  ["a name of another host in it", `evil%test.example@x.example`],
  ["an old route", `@x.example:${evil}`],
  ["a local part of other letters", "иван@x.example"],
  ["a very long one", `${"a".repeat(5_000)}@x.example`],
  ["a line that ends", "a@x.example\n"],
  ["a space", `a b@x.example ${evil}`],
  ["nothing", ""],
];

test.each(addresses)("an address with %s is refused, and nothing is sent", async (_what, to) => {
  await expect(send({ to })).rejects.toThrow(BadRecipientError);
});

test.each(["o'neil+list_1=a@mail.test.example", "a@mail-1.test.example", `${"a".repeat(64)}@test.example`])(
  "the plain address %j gets its mail",
  async (to) => {
    await send({ to });
    expect((await arrivedAt(to))?.recipients).toEqual([to]);
  },
);
