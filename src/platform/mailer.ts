import { type Readable, Transform } from "node:stream";
import { createTransport, type SMTPPoolOptions } from "nodemailer";
import { InconclusiveError, PermanentError, UnavailableError } from "../errors.ts";
import { followSignals } from "./abort.ts";
import type { DeliveryProbe } from "./delivery-probe.ts";
import type { MailLinks } from "./mail-links.ts";
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
   * Sends a mail to the server and returns the server's reply. Throws `BadRecipientError` when the recipient is not a
   * plain address, `RefusedMailError` when the server will never accept it, `UncertainMailError` when the server may or
   * may not have it, `DeferredMailError` when the server does not accept it now, and anything else when the server
   * certainly does not have it. The last byte goes out before `sendDeadline`, a moment of `performance.now()`, or
   * never.
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

/** The server has refused the mail for good (reply 5xx). */
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

/** The server did not accept the mail now (reply 4xx, or one about this client): try again later. */
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

/** The recipient is not the plain address of one mailbox; nothing was sent. */
export class BadRecipientError extends PermanentError {
  override readonly name = "BadRecipientError";
}

/** The connection broke after the whole mail was sent and before the server answered (RFC 1047). */
export class UncertainMailError extends InconclusiveError {
  override readonly name = "UncertainMailError";
}

/** Exactly one mailbox: the library would also read lists, groups, comments and names in an address. */
const plainAddress = /^(?=.{3,254}$)[a-z0-9.!#$&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*$/i;

/** What the signature covers: the library's own choice leaves out the last one, and RFC 8058 wants both of them. */
const signedHeaders =
  "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post";

/** Mail servers allow one client a few dozen at most. */
const connections = 20;

const connectMs = 10_000;
const answerMs = 20_000;

/** A mailer on a pool of connections to one server, the first of which is made with the first mail. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, probe, graceMs = defaultGraceMs } = options;
  const domain = from.address.slice(from.address.indexOf("@") + 1);
  const transport = createTransport(poolOptions(options));
  /** By Message-ID: whether a mail in flight has sent its last byte, of which errors say nothing useful. */
  const running = new Map<string, SmtpTransaction>();
  transport.use("stream", ({ data, message }, done) => {
    const transaction = running.get(String(data.messageId));
    if (transaction) message?.processFunc((content) => content.pipe(deadlineTransform(content, transaction)));
    done();
  });

  return {
    from,
    probe,
    graceMs,
    links: options.links,
    messageIdOf: (id) => `${id}@${domain}`,
    async send({ messageId: bareId, to, ...content }, { signal, sendDeadline = performance.now() + graceMs / 2 }) {
      if (!plainAddress.test(to)) throw new BadRecipientError(`'${to}' is not the plain address of one mailbox`);
      const messageId = `<${bareId}>`;
      const transaction: SmtpTransaction = { sendDeadline, isHandedOver: false, giveUp: new AbortController() };
      running.set(messageId, transaction);
      const envelope = { from: from.address, to: [to] };
      const forget = followSignals(transaction.giveUp, [signal]);
      try {
        const address = { from, to: { name: "", address: to } };
        const mail = { ...content, ...address, messageId, envelope, signal: transaction.giveUp.signal };
        const sent = await traced("SMTP send", { kind: "client" }, () => transport.sendMail(mail));
        return sent.response ?? "";
      } catch (error) {
        throw classify(error as SmtpError, transaction.isHandedOver);
      } finally {
        forget();
        running.delete(messageId);
      }
    },
    close: () => transport.close(),
  };
}

interface SmtpTransaction {
  sendDeadline: number;
  isHandedOver: boolean;
  giveUp: AbortController;
}

/** The library writes a mail in dozens of pieces, each of which would be a packet of its own. */
const packetBytes = 65_536;

/**
 * Passes a message on, but its end only before the deadline: a process that was frozen with half a mail on the wire
 * must not finish it after another worker has sent it.
 */
function deadlineTransform(content: Readable, transaction: SmtpTransaction) {
  let pieces: Buffer[] = [];
  let bytes = 0;
  const packet = () => {
    const content = Buffer.concat(pieces, bytes);
    [pieces, bytes] = [[], 0];
    return content;
  };
  const through = new Transform({
    transform(piece: Buffer, _encoding, done) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes < packetBytes) return done();
      done(null, packet());
    },
    flush(done) {
      if (bytes > 0) this.push(packet());
      // Everything but the end is on the wire by then.
      setImmediate(() => {
        if (performance.now() > transaction.sendDeadline) {
          return transaction.giveUp.abort(new Error("The mail server was too slow to finish the mail in time"));
        }
        transaction.isHandedOver = true;
        done();
      });
    },
  });
  content.once("error", (error) => through.destroy(error));
  return through;
}

/** Connects to the mail server as the mailer does, logs in, and sends nothing; throws what is wrong. */
export async function checkMailServer(options: MailerOptions): Promise<void> {
  const transport = createTransport(poolOptions(options));
  await transport.verify().finally(() => transport.close());
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
  responseCode?: number;
  response?: string;
}

function classify(error: SmtpError, isHandedOver: boolean): Error {
  const { code: kind = "", responseCode: code = 0, response = "" } = error;
  const replied = { code, reply: response.trim() };
  // Nothing is sent before TLS is agreed on.
  const fault = tlsFault(error, "the mail server");
  if (fault) return new UnavailableError(fault, { cause: error });
  // A refused login or greeting is about this client, not about the mail, and an operator can correct it.
  if (code >= 500 && ["EENVELOPE", "EMESSAGE"].includes(kind))
    return new RefusedMailError("The mail server refused the mail for good", replied, error);
  if (code >= 400) return new DeferredMailError("The mail server did not accept the mail now", replied, error);
  if (!isHandedOver) return error;
  return new UncertainMailError(
    "The connection broke before the mail server answered: it may or may not have the mail. Look for its " +
      "Message-ID there before you send it again",
    { cause: error },
  );
}
