import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compiledLayout } from "../../../scripts/compile-mails.ts";
import { languages } from "../../../src/db/entities/accounts/user.ts";
import { type MailKindName, mailKinds } from "../../../src/jobs/mail-kinds.ts";
import { shopUrl } from "../../../src/services/shop-url.ts";
import { compose, type MailTemplate } from "../../../src/workers/mail/compose.ts";
import { formatDay, formatRub, formatTime } from "../../../src/workers/mail/format.ts";
import { samplesOf } from "../../../src/workers/mail/templates/define-template.ts";
import { templates } from "../../../src/workers/mail/templates/index.ts";

const origins = ["https://files.test/bucket"];
const plain: MailTemplate = { subject: "s", heading: "h", paragraphs: ["p"] };
const kinds = Object.keys(mailKinds) as MailKindName[];

test("the compiled layout is what MJML makes of its source", { timeout: 60_000 }, async () => {
  expect(readFileSync("src/workers/mail/layout.ts", "utf8")).toBe(await compiledLayout());
});

const samples = kinds.flatMap((kind) =>
  Object.entries(samplesOf(templates[kind])).map(([name, data]) => [kind, name, data] as const),
);

describe.each(samples.flatMap((sample) => languages.map((language) => [...sample, language] as const)))(
  "%s, %s",
  (kind, _name, data, language) => {
    const letter = (templates[kind].write[language] as (data: unknown) => MailTemplate)(data);
    const { subject, text, html } = compose(letter, { language, origins });

    test("says the same in both parts", () => {
      expect(subject.length).toBeGreaterThan(5);
      const facts = [...(letter.facts ?? []), ...(letter.total ? [letter.total] : [])].map(({ value }) => value);
      const lines = (letter.lines ?? []).flatMap(({ name, amount }) => [name, amount]);
      for (const words of [letter.heading, ...letter.paragraphs, ...facts, ...lines]) {
        expect(text).toContain(words);
        expect(decoded(html)).toContain(words);
      }
      if (letter.button) for (const part of [text, html]) expect(part).toContain(letter.button.url);
    });

    test("has nothing left to fill in, nothing from elsewhere, and no picture within", () => {
      for (const part of [subject, text, html]) expect(part).not.toMatch(/\{\{|undefined|\[object|NaN|Invalid/);
      const addresses = Array.from(html.matchAll(/(?:href|src)="(?!mailto:)([^"]*)"/g), ([, url]) => url);
      expect(addresses.filter((url) => !url?.startsWith(shopUrl))).toEqual([]);
      expect(html).not.toMatch(/data:|<script/);
      expect(html).toContain(`<html lang="${language}"`);
    });
  },
);

const decoded = (html: string) =>
  html.replaceAll(/&(amp|lt|gt|quot|#x27|#x3D|#x60);/g, (_all, name: string) => entities[name] ?? "");
const entities: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#x27": "'",
  "#x3D": "=",
  "#x60": "`",
};

describe("data of strangers", () => {
  const hostile = "<img src=x onerror=alert(1)>{{subject}}<%= 1 %>\"'`";

  test("is text in HTML and itself in plain text", () => {
    const letter = {
      ...plain,
      heading: hostile,
      paragraphs: [hostile],
      facts: [{ label: hostile, value: hostile }],
      lines: [{ name: hostile, detail: hostile, amount: hostile }],
      total: { label: hostile, value: hostile },
    };
    const { html, text } = compose(letter, { language: "ru", origins });
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt;{{subject}}");
    expect(text).toContain(hostile);
  });

  test("does not get at what objects have by nature", () => {
    const letter = { ...plain, facts: [{ label: "{{constructor}}", value: "{{__proto__}}" }] };
    const { html } = compose(JSON.parse(JSON.stringify({ ...letter, __proto__: null })) as MailTemplate, {
      language: "en",
      origins,
    });
    expect(html).toContain("{{constructor}}");
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("makes no second line of a subject", () => {
    const { subject } = compose({ ...plain, subject: "a\r\nBcc: evil@x.example\u2028b" }, { language: "ru", origins });
    expect(subject).toBe("a Bcc: evil@x.example b");
  });

  test.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "https://evil.example/x",
    "https://files.test.evil.example/x",
    "https://files.test@evil.example/",
    "http://files.test/x",
    "//evil.example",
    "/relative",
    "mailto:a@x.example",
    "",
  ])("leads no recipient to %j", (url) => {
    expect(() => compose({ ...plain, button: { label: "x", url } }, { language: "ru", origins })).toThrow(
      /must not link/,
    );
  });

  test.each(["https://files.test/bucket/a.xlsx?a=1&b=%22", `${shopUrl}/x`])("may lead to %j", (url) => {
    const { html, text } = compose({ ...plain, button: { label: "x", url } }, { language: "ru", origins });
    expect(html).toContain(`href="${url.replaceAll("&", "&amp;")}"`);
    expect(text).toContain(url);
  });
});

describe("bulk mail", () => {
  test("has a way out by mail, and by one click where there is a link", () => {
    const address = "shop@test.example";
    const written = compose(plain, { language: "ru", origins, unsubscribe: { url: undefined, address } });
    expect(written.headers).toEqual({ "List-Unsubscribe": `<mailto:${address}?subject=unsubscribe>` });
    for (const part of [written.html, written.text]) expect(part).toContain(`mailto:${address}?subject=unsubscribe`);
    const url = "https://api.test/mail/unsubscribe/x";
    const clicked = compose(plain, { language: "en", origins, unsubscribe: { url, address } });
    expect(clicked.headers).toEqual({
      "List-Unsubscribe": `<${url}>, <mailto:${address}?subject=unsubscribe>`,
      "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    });
    for (const part of [clicked.html, clicked.text]) expect(part).toContain(url);
  });

  test("is told from mail about an order, which has none", () => {
    const { headers, html } = compose(plain, { language: "ru", origins });
    expect(headers).toBeUndefined();
    expect(html).not.toContain("mailto:");
  });
});

test("amounts and times are written as the reader writes them, in the shop's time", () => {
  expect(formatRub(1_234_567, "ru").replaceAll(/\s/g, " ")).toBe("1 234 567 ₽");
  expect(formatRub(1_234_567, "en").replaceAll(/\s/g, " ")).toBe("RUB 1,234,567");
  const at = new Date("2026-11-22T21:30:00Z");
  expect(formatTime(at, "ru")).toMatch(/^23 ноября 2026 г\..*00:30$/);
  expect(formatTime(at, "en")).toMatch(/^23 November 2026.*00:30$/);
  expect(formatDay("2026-11-22", "ru")).toBe("22 ноября 2026 г.");
  expect(formatDay("2026-11-22", "en")).toBe("22 November 2026");
});
