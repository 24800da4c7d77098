import { randomBytes } from "node:crypto";
import { type AddressObject, type HeaderLines, type ParsedMail, simpleParser } from "mailparser";
import type { MailFiles } from "./mail-files.ts";

/** A mail as lists show it. */
export interface MailSummary {
  readonly id: string;
  readonly received_at: string;
  readonly from: string;
  /** Who it was delivered to, blind copies too: the recipients of the envelope. */
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly message_id: string | null;
  readonly size: number;
}

/** A file that came with a mail. */
export interface MailAttachment {
  readonly file_name: string;
  readonly content_type: string;
  readonly size: number;
  readonly content: Buffer;
}

/** A mail with all that is in it. */
export interface Mail extends MailSummary {
  /** The To header, which need not be the recipients. */
  readonly to: string;
  readonly cc: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly text: string | null;
  /** As the sender wrote it, so not to be trusted; embedded images have become data URLs. */
  readonly html: string | null;
  readonly attachments: readonly MailAttachment[];
  readonly raw: Buffer;
}

/** From whom and to whom the SMTP session said the mail goes. */
export interface Envelope {
  readonly from: string;
  readonly recipients: readonly string[];
}

/** The newest mails. */
export interface MailStore {
  add(envelope: Envelope, content: Buffer): Promise<MailSummary>;
  /** Returns summaries, newest first, of one recipient's mails or of all. */
  list(recipient?: string): Promise<MailSummary[]>;
  /** Returns null when there is no such mail. */
  find(id: string): Promise<Mail | null>;
  /** Counts the mails with this Message-ID, with or without angle brackets. */
  count(messageId: string): Promise<number>;
  clear(): Promise<void>;
}

const recipientsHeader = "x-envelope-to";
const idPattern = /^\d{17}-[0-9a-f]{8}$/;

/** Opens a store that keeps at most so many mails and drops the oldest; what the files hold already is listed again. */
export function openMailStore(files: MailFiles, limit: number): MailStore {
  // Newest last. Reading a thousand mails takes a moment, which starting up need not wait for.
  const loading = loadSummaries(files);
  // The caller gets an error; until then it has no listener, which would end the process.
  loading.catch(() => undefined);
  let newest = 0;

  async function add(envelope: Envelope, content: Buffer): Promise<MailSummary> {
    const summaries = await loading;
    newest = Math.max(Date.now(), newest + 1);
    const id = createId(newest);
    const mail = Buffer.concat([Buffer.from(envelopeHeaders(envelope)), content]);
    await files.write(id, mail);
    const summary = await summarize(id, mail);
    summaries.push(summary);
    await Promise.all(summaries.splice(0, summaries.length - limit).map((dropped) => files.remove(dropped.id)));
    return summary;
  }

  async function list(recipient?: string): Promise<MailSummary[]> {
    const wanted = recipient?.toLowerCase();
    const isWanted = (address: string): boolean => address.toLowerCase() === wanted;
    const summaries = await loading;
    return summaries.filter(({ recipients }) => wanted === undefined || recipients.some(isWanted)).reverse();
  }

  async function find(id: string): Promise<Mail | null> {
    const summary = (await loading).find((candidate) => candidate.id === id);
    return summary === undefined ? null : describe(summary, await files.read(id));
  }

  async function count(messageId: string): Promise<number> {
    const wanted = bareId(messageId);
    return (await loading).filter(({ message_id }) => message_id === wanted).length;
  }

  async function clear(): Promise<void> {
    const summaries = await loading;
    await Promise.all(summaries.splice(0).map(({ id }) => files.remove(id)));
  }

  return { add, list, find, count, clear };
}

async function loadSummaries(files: MailFiles): Promise<MailSummary[]> {
  const summaries: MailSummary[] = [];
  for (const id of await files.list()) {
    if (idPattern.test(id)) {
      summaries.push(await summarize(id, await files.read(id)));
    }
  }
  return summaries;
}

/** An id sorts by the time that is in it. */
function createId(time: number): string {
  return `${new Date(time).toISOString().replace(/\D/g, "")}-${randomBytes(4).toString("hex")}`;
}

function receivedAt(id: string): string {
  return id.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3}).*$/, "$1-$2-$3T$4:$5:$6.$7Z");
}

/** A mail does not say to whom it was delivered, so that is put before its own headers, as mail servers do. */
function envelopeHeaders({ from, recipients }: Envelope): string {
  return `Return-Path: <${from}>\r\n${recipients.map((address) => `X-Envelope-To: <${address}>\r\n`).join("")}`;
}

async function summarize(id: string, mail: Buffer): Promise<MailSummary> {
  // Headers alone: decoding attachments for a list would be wasted.
  const end = mail.indexOf("\r\n\r\n");
  const parsed = await simpleParser(end < 0 ? mail : mail.subarray(0, end + 4));
  return {
    id,
    received_at: receivedAt(id),
    from: parsed.from?.text || firstHeader(parsed.headerLines, "return-path"),
    recipients: headerValues(parsed.headerLines, recipientsHeader).map(bareId),
    subject: parsed.subject ?? "",
    message_id: parsed.messageId === undefined ? null : bareId(parsed.messageId),
    size: mail.length,
  };
}

async function describe(summary: MailSummary, raw: Buffer): Promise<Mail> {
  const parsed = await simpleParser(raw);
  return {
    ...summary,
    to: addressText(parsed.to),
    cc: addressText(parsed.cc),
    headers: parsed.headerLines.map(({ key, line }) => ({ name: headerName(line, key), value: headerValue(line) })),
    text: parsed.text ?? null,
    html: parsed.html || null,
    attachments: parsed.attachments.map(describeAttachment),
    raw,
  };
}

function describeAttachment(
  { filename, contentType, content }: ParsedMail["attachments"][number],
  index: number,
): MailAttachment {
  const file_name = filename ?? `attachment-${index + 1}`;
  return { file_name, content_type: contentType, size: content.length, content };
}

function addressText(addresses: AddressObject | AddressObject[] | undefined): string {
  return [addresses ?? []]
    .flat()
    .map(({ text }) => text)
    .join(", ");
}

function headerValues(lines: HeaderLines, name: string): string[] {
  return lines.filter(({ key }) => key === name).map(({ line }) => headerValue(line));
}

function firstHeader(lines: HeaderLines, name: string): string {
  return bareId(headerValues(lines, name)[0] ?? "");
}

function headerName(line: string, key: string): string {
  const colon = line.indexOf(":");
  return colon < 0 ? key : line.slice(0, colon);
}

function headerValue(line: string): string {
  return line.slice(line.indexOf(":") + 1).trim();
}

function bareId(text: string): string {
  return text.trim().replace(/^<(.*)>$/s, "$1");
}
