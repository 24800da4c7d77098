import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { domainToASCII } from "node:url";
import { createTransport, type SMTPPoolOptions } from "nodemailer";
import { InconclusiveError, PermanentError, UnavailableError } from "../errors.ts";
import type { DeliveryProbe } from "./delivery-probe.ts";
import type { Log } from "./logger.ts";
import { createMailHold, type HoldTimes } from "./mail-hold.ts";
import type { MailLinks } from "./mail-links.ts";
import { type JudgedReply, judgeReply, type MailFault, mailFaults, type SmtpStage } from "./smtp-replies.ts";
import { tlsFault } from "./tls.ts";
import { traced } from "./tracing.ts";

export interface MailerOptions {
  host: string;
  port: number;
  credentials?: { user: string; pass: string } | undefined;
  from: Sender;
  security: "none" | "starttls" | "tls";
  /** Absent: mails whose delivery is uncertain stay so, or a person settles them. */
  probe?: DeliveryProbe | undefined;
  /** Absent: a minute. */
  graceMs?: number | undefined;
  /** Links of the mails; absent: people write to the sender to unsubscribe. */
  links?: MailLinks | undefined;
  /** Absent: mails are not signed here; the mail server may do that. */
  dkim?: Dkim | undefined;
  /** Is told when the server refuses this installation, and when it no longer does; absent: that is not logged. */
  log?: Log | undefined;
  /** Absent: 3 s to 5 min. */
  holdTimes?: HoldTimes | undefined;
}

/** The key that signs mails (RFC 6376): the record of `selector` in the DNS of `domainName` holds the public key. */
export interface Dkim {
  domainName: string;
  keySelector: string;
  /** PEM. */
  privateKey: string;
}

/** More than the lease of a dead worker's job (30 s) and the wait for an answer (20 s) together. */
const defaultGraceMs = 60_000;

export interface Sender {
  name: string;
  address: string;
}

/** One message to one recipient. */
export interface OutgoingMail {
  /** The permanent name of the message, without angle brackets; a repeat has the same. */
  messageId: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers?: Record<string, string>;
  attachments?: { filename: string; content: Buffer; contentType: string }[];
}

export interface Mailer {
  from: Sender;
  /** Tells afterwards whether a mail has arrived, where that can be found out. */
  probe: DeliveryProbe | undefined;
  /** How long after its start no part of a delivery is in flight any more: only then a probe or a retry makes sense. */
  graceMs: number;
  /** Links that work without a login; undefined: there are none. */
  links: MailLinks | undefined;
  /** The Message-ID of the mail with this id; it never changes. */
  messageIdOf(id: string): string;
  /**
   * How many milliseconds the mail with this Message-ID has to wait because the server refuses this installation; 0:
   * send it now.
   */
  waitMs(messageId: string): number;
  /** Why all mail waits at the moment; undefined: it does not. */
  fault(): MailFault | undefined;
  /**
   * Sends a mail to the server and returns the server's reply. Throws `BadRecipientError` when the recipient is not a
   * plain address, `RefusedMailError` when the server will never accept it, `UncertainMailError` when the server may or
   * may not have it, `DeferredMailError` when the server does not accept it now, `MailServerError` when it refuses this
   * installation or cannot be reached, and anything else when the server certainly does not have it. The last byte goes
   * out before `sendDeadline`, a moment of `performance.now()`, or never.
   */
  send(mail: OutgoingMail, options: { signal: AbortSignal; sendDeadline?: number }): Promise<string>;
  /** Closes idle connections now, busy ones after their mail. */
  close(): void;
}

/** The server's reply when it did not accept the mail: its code, and all of its text. */
export interface SmtpReply {
  code: number;
  reply: string;
}

/** The server has refused the mail for good (reply 5xx about the recipient or the message). */
export class RefusedMailError extends PermanentError implements SmtpReply {
  override readonly name = "RefusedMailError";
  readonly code: number;
  readonly reply: string;
  constructor(message: string, { code, reply }: SmtpReply, cause: unknown) {
    super(`${message}: '${reply}'`, { cause });
    this.code = code;
    this.reply = reply;
  }
}

/** The server did not accept the mail now (reply 4xx about the recipient or the message): try again later. */
export class DeferredMailError extends Error implements SmtpReply {
  override readonly name = "DeferredMailError";
  readonly code: number;
  readonly reply: string;
  constructor(message: string, { code, reply }: SmtpReply, cause: unknown) {
    super(`${message}: '${reply}'`, { cause });
    this.code = code;
    this.reply = reply;
  }
}

/** The server refuses this installation, or cannot be reached: that costs a mail nothing. */
export class MailServerError extends UnavailableError {
  /** Its message without what to do about it. */
  readonly said: string;
  readonly fault: MailFault;
  /** Its reply; undefined: it said nothing. */
  readonly reply: (SmtpReply & Pick<JudgedReply, "stage" | "enhanced">) | undefined;
  constructor(said: string, { fault, reply }: Pick<MailServerError, "fault" | "reply">, cause: unknown) {
    super(`${said}. ${mailFaults[fault]}`, { cause });
    this.said = said;
    this.fault = fault;
    this.reply = reply;
  }
}

/** The recipient is not the plain address of one mailbox; nothing was sent. */
export class BadRecipientError extends PermanentError {
  override readonly name = "BadRecipientError";
}

/** The connection broke after the whole mail was sent and before the server answered (RFC 1047). */
export class UncertainMailError extends InconclusiveError {
  override readonly name = "UncertainMailError";
}

/** Exactly one mailbox, in ASCII: the library would also read lists, groups, comments and names in an address. */
const plainAddress = /^(?=.{3,254}$)[a-z0-9.!#$&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*$/i;

/**
 * The address as SMTP knows it: a domain in other scripts is written in its ASCII form (RFC 5890). Throws
 * `BadRecipientError` for anything but one mailbox, and for other scripts before the `@`: those need a server with
 * SMTPUTF8 (RFC 6531) all the way to the recipient.
 */
function asciiAddress(address: string): string {
  const [, local = "", domain = ""] = /^(.*)@([^@]*)$/s.exec(address) ?? [];
  const isForeign = /\P{ASCII}/u.test(domain) && /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain);
  const asciiDomain = isForeign ? domainToASCII(domain) : domain;
  const ascii = `${local}@${asciiDomain}`;
  if (plainAddress.test(ascii)) return ascii;
  if (plainAddress.test(`${local.replaceAll(/\P{ASCII}/gu, "x")}@${asciiDomain}`))
    throw new BadRecipientError(
      `'${address}' has letters outside of ASCII before the @: such mail needs SMTPUTF8 (RFC 6531), which is not used here`,
    );
  throw new BadRecipientError(`'${address}' is not the plain address of one mailbox`);
}

/** What the signature covers: the library's own choice leaves out the last one, and RFC 8058 wants both of them. */
const signedHeaders =
  "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post";

/** Mail servers allow one client a few dozen at most. */
const connections = 20;

const connectMs = 10_000;
const answerMs = 20_000;

/** A mailer on a pool of connections to one server, the first of which is made with the first mail. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, probe, graceMs = defaultGraceMs, log = silent } = options;
  const domain = from.address.slice(from.address.indexOf("@") + 1);
  const hold = createMailHold(log, options.holdTimes);
  const transport = createTransport(poolOptions(options));
  /** By Message-ID: whether a mail in flight has sent its last byte, of which errors say nothing useful. */
  const running = new Map<string, SmtpTransaction>();
  transport.use("stream", ({ data, message }, done) => {
    const transaction = running.get(String(data.messageId));
    if (transaction) message?.processFunc((content) => Readable.from(untilDeadline(content, transaction), onDemand));
    done();
  });

  return {
    from,
    probe,
    graceMs,
    links: options.links,
    messageIdOf: (id) => `${id}@${domain}`,
    waitMs: hold.waitMs,
    fault: hold.fault,
    async send({ messageId: bareId, to, ...content }, { signal, sendDeadline = performance.now() + graceMs / 2 }) {
      const recipient = asciiAddress(to);
      const beganAt = performance.now();
      const messageId = `<${bareId}>`;
      const transaction: SmtpTransaction = {
        sendDeadline,
        isHandedOver: false,
        isLate: false,
      };
      running.set(messageId, transaction);
      const envelope = { from: from.address, to: [recipient] };
      try {
        const address = { from, to: { name: "", address: recipient } };
        const mail = { ...content, ...address, messageId, envelope, signal };
        const sent = await traced("SMTP send", { kind: "client" }, () => transport.sendMail(mail));
        hold.taken(bareId);
        return sent.response ?? "";
      } catch (error) {
        const verdict = classify(error as SmtpError, transaction);
        if (verdict instanceof RefusedMailError || verdict instanceof DeferredMailError) hold.heard();
        if (!(verdict instanceof MailServerError)) throw verdict;
        throw hold.refuse(bareId, beganAt, verdict) ? refusedAlone(verdict) : verdict;
      } finally {
        running.delete(messageId);
      }
    },
    close: () => transport.close(),
  };
}

interface SmtpTransaction {
  sendDeadline: number;
  isHandedOver: boolean;
  /** It was given up before its end was sent. */
  isLate: boolean;
}

/** Bytes, and none before they are asked for. */
const onDemand = { objectMode: false, highWaterMark: 1 };

/** The library writes a mail in dozens of pieces, each of which would be a packet of its own. */
const packetBytes = 65_536;

/**
 * Passes a message on when it is asked for, which is after the reply to DATA, and its end only before the deadline: a
 * process that was frozen with half a mail on the wire must not finish it after another worker has sent it.
 */
async function* untilDeadline(content: Readable, transaction: SmtpTransaction) {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of content as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < packetBytes) continue;
    yield Buffer.concat(pieces, bytes);
    [pieces, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(pieces, bytes);
  // Everything but the end is on the wire by then.
  await setImmediate();
  if (performance.now() > transaction.sendDeadline) {
    transaction.isLate = true;
    throw new Error("The mail server was too slow to take the mail in time");
  }
  transaction.isHandedOver = true;
}

/** Connects to the mail server as the mailer does, logs in, and sends nothing; throws a `MailServerError`. */
export async function checkMailServer(options: MailerOptions): Promise<void> {
  const transport = createTransport(poolOptions(options));
  try {
    await transport.verify();
  } catch (error) {
    throw classify(error as SmtpError, { isHandedOver: false, isLate: false });
  } finally {
    transport.close();
  }
}

function poolOptions({ host, port, credentials, security, dkim }: MailerOptions): SMTPPoolOptions & { pool: true } {
  return {
    pool: true,
    maxConnections: connections,
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(credentials && { auth: credentials }),
    ...(dkim && { dkim: { ...dkim, headerFieldNames: signedHeaders } }),
    disableFileAccess: true,
    disableUrlAccess: true,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: answerMs,
    // A connection that closed may have delivered its mail: the pool must not decide whether to send it again.
    maxRequeues: 0,
    // Servers hang up on idle clients, and only the next mail would notice.
    idleTimeout: 15_000,
  };
}

interface SmtpError extends Error {
  code?: string;
  originalCode?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

/** What an error of the library means. */
function classify(error: SmtpError, { isHandedOver, isLate }: Pick<SmtpTransaction, "isHandedOver" | "isLate">): Error {
  if (isLate)
    return new MailServerError(
      "The mail server was too slow to take the mail in time",
      { fault: "session", reply: undefined },
      error,
    );
  // Nothing is sent before TLS is agreed on.
  const tls = tlsFault(error, "the mail server");
  if (tls) return new MailServerError(tls, { fault: "tls", reply: undefined }, error);
  const reply = error.response?.trim() ?? "";
  const judged = judgeReply(stageOf(error, isHandedOver), reply);
  if (judged) {
    const { code, enhanced, rule, stage } = judged;
    const replied = { code, reply };
    if (rule.about === "us") {
      const said = `The mail server refuses this installation at ${stage}, because ${rule.means}: '${reply}'`;
      return new MailServerError(
        said,
        { fault: rule.fault ?? "server", reply: { ...replied, stage, enhanced } },
        error,
      );
    }
    if (code >= 500) return new RefusedMailError("The mail server refused the mail for good", replied, error);
    return new DeferredMailError("The mail server did not accept the mail now", replied, error);
  }
  if (isHandedOver) {
    return new UncertainMailError(
      "The connection broke before the mail server answered: it may or may not have the mail. Look for its " +
        "Message-ID there before you send it again",
      { cause: error },
    );
  }
  const fault = faultOf(error, reply);
  if (!fault) return error;
  return new MailServerError(`The mail server cannot be used: ${error.message}`, { fault, reply: undefined }, error);
}

/**
 * The stage that a reply belongs to. The library names the command of a reply, but an answer to `DATA` and one to the
 * mail itself differ only by its code; the word `CONN` stands for all that was not asked for.
 */
function stageOf({ code, command = "" }: SmtpError, isHandedOver: boolean): SmtpStage {
  if (command.startsWith("AUTH")) return "AUTH";
  if (command === "DATA" && code === "EMESSAGE") return "message";
  const known = stageOfCommand[command];
  return known ?? (isHandedOver ? "message" : "greeting");
}

const stageOfCommand: Record<string, SmtpStage | undefined> = {
  EHLO: "EHLO",
  HELO: "EHLO",
  STARTTLS: "STARTTLS",
  "MAIL FROM": "MAIL",
  "RCPT TO": "RCPT",
  DATA: "DATA",
};

/** The fault of a dialogue that ended without a negative reply; undefined: it was none of the server's. */
function faultOf({ code, originalCode = "" }: SmtpError, reply: string): MailFault | undefined {
  if (code === "ECONNECTION" || (code === "ESOCKET" && ["ECONNRESET", "EPIPE"].includes(originalCode)))
    return "session";
  if (code === "ESOCKET" || code === "EDNS" || code === "ETIMEDOUT") return "unreachable";
  if (code === "ETLS") return "tls";
  if (code === "EAUTH") return "login";
  return code === "EPROTOCOL" || reply ? "protocol" : undefined;
}

/** A mail that the server refuses "because of us", or hangs up on, again and again, while it takes others. */
function refusedAlone({ reply, message, cause }: MailServerError): Error {
  if (!reply) return new Error(`Again and again with this mail, while others are taken: ${message}`, { cause });
  return new DeferredMailError(
    "The mail server refuses this mail again and again, while it takes others",
    reply,
    cause,
  );
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
