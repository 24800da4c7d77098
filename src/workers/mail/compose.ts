import Handlebars from "handlebars";
import type { Language } from "../../db/entities/accounts/user.ts";
import { PermanentError } from "../../engine/worker.ts";
import { escapeHtml } from "../../platform/escape-html.ts";
import { shopUrl } from "../../services/shop-url.ts";
import { layout } from "./layout.ts";

/** The content of a mail, without its look. */
export interface MailTemplate {
  subject: string;
  heading: string;
  paragraphs: readonly string[];
  facts?: readonly { label: string; value: string }[];
  lines?: readonly { name: string; detail?: string; amount: string }[];
  total?: { label: string; value: string };
  button?: { label: string; url: string };
}

export interface ComposeOptions {
  language: Language;
  /** Origins that links may lead to, besides the shop's own. */
  origins: readonly string[];
  /** Set for bulk mail: where its reader unsubscribes, and the address for unsubscribing by mail. */
  unsubscribe?: { url: string | undefined; address: string } | undefined;
}

export interface MailContent {
  subject: string;
  text: string;
  html: string;
  headers?: Record<string, string>;
  attachments?: { filename: string; content: Buffer; contentType: string }[];
}

const words = {
  ru: {
    otherwise: "Если кнопка не работает, откройте ссылку:",
    unsubscribe: "Отписаться от рассылки",
    shop: "ТЦ Форд, запчасти для Ford",
  },
  en: {
    otherwise: "If the button does not work, open this link:",
    unsubscribe: "Unsubscribe",
    shop: "ТЦ Форд, parts for Ford",
  },
} as const;

// Data never become part of the layout, whatever a value contains.
const render = Handlebars.compile(layout, { strict: false, knownHelpersOnly: true });

/** Both parts of a mail and its headers; throws `PermanentError` when a link would lead to a foreign site. */
export function compose(template: MailTemplate, { language, origins, unsubscribe }: ComposeOptions): MailContent {
  const { otherwise, unsubscribe: unsubscribeLabel, shop } = words[language];
  const byMail = unsubscribe && `mailto:${unsubscribe.address}?subject=unsubscribe`;
  const unsubscribeUrl = unsubscribe?.url ?? byMail;
  const { button } = template;
  if (button) checkLink(button.url, [shopUrl, ...origins]);
  const html = render({
    ...template,
    language,
    shop: { name: shop, url: shopUrl },
    button: button && { label: button.label, url: attribute(button.url), otherwise },
    unsubscribe: unsubscribeUrl && { url: attribute(unsubscribeUrl), label: unsubscribeLabel },
  });
  const text = textOf(template, shop, unsubscribeUrl && `${unsubscribeLabel}: ${unsubscribeUrl}`);
  return {
    subject: oneLine(template.subject),
    html,
    text,
    ...(unsubscribe && byMail && { headers: unsubscribeHeaders(byMail, unsubscribe.url) }),
  };
}

/** Handlebars would escape more than necessary: programs look for the plain address. */
const attribute = (url: string) => new Handlebars.SafeString(escapeHtml(url));

const oneLine = (text: string) => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();

function checkLink(url: string, origins: readonly string[]) {
  const origin = URL.canParse(url) ? new URL(url).origin : "";
  if (origin === "null" || !origins.some((one) => new URL(one).origin === origin))
    throw new PermanentError(`A mail must not link to '${url}'`);
}

function textOf(template: MailTemplate, shop: string, unsubscribe: string | undefined) {
  const { heading, paragraphs, facts = [], lines = [], total, button } = template;
  const parts = [
    heading,
    ...paragraphs,
    facts.map(({ label, value }) => `${label}: ${value}`).join("\n"),
    lines.map(({ name, detail, amount }) => `- ${name}${detail ? ` (${detail})` : ""}: ${amount}`).join("\n"),
    total ? `${total.label}: ${total.value}` : "",
    button ? `${button.label}:\n${button.url}` : "",
    `--\n${shop}\n${shopUrl}${unsubscribe ? `\n${unsubscribe}` : ""}`,
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

/** The headers for unsubscribing in mail programs (RFC 2369, RFC 8058). */
function unsubscribeHeaders(byMail: string, url: string | undefined): Record<string, string> {
  if (url === undefined) return { "List-Unsubscribe": `<${byMail}>` };
  return { "List-Unsubscribe": `<${url}>, <${byMail}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" };
}
