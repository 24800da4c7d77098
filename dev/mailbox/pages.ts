import { type Html, html } from "./html.ts";
import type { Mail, MailAttachment, MailSummary } from "./mail-store.ts";

/** The list of mails, newest first, or how to get a first one. */
export function listPage(mails: readonly MailSummary[], smtpUrl: string): string {
  const counter = mails.length === 1 ? "1 mail" : `${mails.length} mails`;
  const content = html`
    <header class="bar">
      <h1>Mailbox</h1>
      <p id="counter">${counter}</p>
      <code class="smtp">${smtpUrl}</code>
      <button id="clear" type="button" ${mails.length === 0 ? html`hidden` : ""}>Delete all</button>
    </header>
    <main id="list">${mails.length === 0 ? emptyState(smtpUrl) : table(mails)}</main>`;
  return layout("Mailbox", content);
}

/** One mail: who, what, when, its HTML in a sandbox, its text, its attachments and all its headers. */
export function mailPage(mail: Mail): string {
  const content = html`
    <header class="bar"><a href="/" class="back">← Mailbox</a></header>
    <main class="mail">
      <h1>${subjectOf(mail)}</h1>
      <dl class="envelope">
        ${row("From", mail.from)} ${row("To", mail.to)} ${row("Cc", mail.cc)}
        ${row("Delivered to", mail.recipients.join(", "))}
        <dt>Received</dt><dd>${time(mail.received_at)}</dd>
      </dl>
      ${attachmentList(mail)} ${htmlPart(mail)} ${textPart(mail)}
      <details class="headers">
        <summary>${mail.headers.length} headers</summary>
        <dl>${mail.headers.map(({ name, value }) => row(name, value))}</dl>
      </details>
      <p class="source"><a href="/messages/${mail.id}/raw">Source</a> · ${sizeText(mail.size)}</p>
    </main>`;
  return layout(subjectOf(mail), content);
}

/** Says that there is nothing at an address. */
export function missingPage(): string {
  return layout(
    "Not found",
    html`
    <header class="bar"><a href="/" class="back">← Mailbox</a></header>
    <main><div class="empty"><h2>There is no such mail</h2><p>It may have been deleted to make room for newer ones.</p>
    </div></main>`,
  );
}

function layout(title: string, content: Html): string {
  const page = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/style.css">
    <script type="module" src="/refresh.js"></script>
  </head>
  <body>${content}
  </body>
</html>
`;
  return page.source;
}

function table(mails: readonly MailSummary[]): Html {
  return html`
      <table>
        <thead><tr><th>From</th><th>To</th><th>Subject</th><th class="time">Time</th></tr></thead>
        <tbody>${mails.map(tableRow)}</tbody>
      </table>`;
}

function tableRow(mail: MailSummary): Html {
  const to = mail.recipients.join(", ");
  return html`
          <tr id="mail-${mail.id}">
            <td class="from" title="${mail.from}">${mail.from}</td>
            <td class="to" title="${to}">${to}</td>
            <td class="subject"><a href="/messages/${mail.id}">${subjectOf(mail)}</a></td>
            <td class="time">${time(mail.received_at)}</td>
          </tr>`;
}

function emptyState(smtpUrl: string): Html {
  const command = [
    "printf 'Subject: Hello\\n\\nIt works.\\n' |",
    `  curl ${smtpUrl} --mail-from me@example.com --mail-rcpt you@example.com -T -`,
  ].join("\n");
  return html`
      <div class="empty">
        <h2>No mail yet</h2>
        <p>Every mail that the store sends ends up here and nowhere else. To see a first one, send it yourself:</p>
        <pre>${command}</pre>
        <p>Any program can send: <code>${smtpUrl}</code>, no encryption, no password. This page refreshes by itself.</p>
      </div>`;
}

function attachmentList({ id, attachments }: Mail): Html {
  if (attachments.length === 0) {
    return html``;
  }
  return html`<ul class="attachments">${attachments.map((attachment, index) => attachmentItem(id, attachment, index))}</ul>`;
}

function attachmentItem(id: string, { file_name, content_type, size }: MailAttachment, index: number): Html {
  return html`
        <li><a href="/messages/${id}/attachments/${index}" title="${content_type}" download>${file_name}</a>
          <small>${sizeText(size)}</small></li>`;
}

function htmlPart(mail: Mail): Html {
  if (mail.html === null) {
    return html``;
  }
  return html`
      <section><h2>HTML</h2>
        <iframe src="/messages/${mail.id}/html" title="HTML part" referrerpolicy="no-referrer"
          sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
      </section>`;
}

function textPart({ text }: Mail): Html {
  return text === null ? html`` : html`<section><h2>Text</h2><pre>${text}</pre></section>`;
}

function row(name: string, value: string): Html {
  return value === "" ? html`` : html`<dt>${name}</dt><dd>${value}</dd>`;
}

function subjectOf({ subject }: MailSummary): string {
  return subject === "" ? "(no subject)" : subject;
}

function time(iso: string): Html {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  const clock = date.toLocaleTimeString("en-GB");
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  return html`<time datetime="${iso}">${today ? clock : `${day}, ${clock}`}</time>`;
}

function sizeText(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} B`;
  }
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
