import { type Readable, Transform } from "node:stream";
import { createTransport, type SMTPPoolOptions } from "nodemailer";
import { InconclusiveError, PermanentError } from "../errors.ts";
import type { DeliveryProbe } from "./delivery-probe.ts";
import type { MailLinks } from "./mail-links.ts";
import { traced } from "./tracing.ts";

export interface MailerOptions {
  host: string;
  port: number;
  credentials?: { user: string; pass: string } | undefined;
  from: Sender;
  security: "none" | "starttls" | "tls";
  /** Absent: what is in doubt stays so, or is for people to settle. */
  probe?: DeliveryProbe | undefined;
  /** Absent: a minute. */
  graceMs?: number | undefined;
  /** Links of the mails; absent: people write to the sender to unsubscribe. */
  links?: MailLinks | undefined;
  /** Absent: mails are not signed here; the mail server may do that. */
  dkim?: Dkim | undefined;
}

/** What mails are signed with (RFC 6376): the record of `selector` in the DNS of `domainName` holds the public key. */
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
  /** Names the message for ever, without angle brackets; whoever sends it again says the same. */
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
  /** Says afterwards whether a mail has arrived, where anything can. */
  probe: DeliveryProbe | undefined;
  /** So long after a delivery began nothing of it is under way any more: only then a probe, or another try, makes sense. */
  graceMs: number;
  /** Links that work without a login; undefined: there are none. */
  links: MailLinks | undefined;
  /** The Message-ID of the mail with this id, the same for ever. */
  messageIdOf(id: string): string;
  /**
   * Hands a mail to the server and returns what it said. Throws `BadRecipientError` when it is to no plain address,
   * `RefusedMailError` when it will never take it,
   * `UncertainMailError` when nobody knows whether it has, `DeferredMailError` when it did not want it now, and anything
   * else when it surely has not got it. Its last byte goes out before `sendDeadline`, a moment of `performance.now()`, or
   * never.
   */
  send(mail: OutgoingMail, options: { signal: AbortSignal; sendDeadline?: number }): Promise<string>;
  /** Drops idle connections now, busy ones after their mail. */
  close(): void;
}

/** What the server said instead of yes: its code, and all of its text. */
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

/** The server did not take the mail now (reply 4xx, or one that is about us): try again later. */
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

/** That is no plain address of one mailbox; nothing was sent. */
export class BadRecipientError extends PermanentError {
  override readonly name = "BadRecipientError";
}

/** The connection broke after the whole mail was sent and before the server answered (RFC 1047). */
export class UncertainMailError extends InconclusiveError {
  override readonly name = "UncertainMailError";
}

/** One mailbox, and no way to write another one: the library reads lists, groups, comments and names in an address. */
const plainAddress = /^(?=.{3,254}$)[a-z0-9.!#$&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*$/i;

/** What the signature covers: the library's own choice leaves out the last one, and RFC 8058 wants both of them. */
const signedHeaders =
  "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post";

/** Mail servers allow one client some dozens at the most. */
const connections = 20;

const connectMs = 10_000;
const answerMs = 20_000;

/** A mailer on a pool of connections to one server, the first of which is made with the first mail. */
export function createMailer(options: MailerOptions): Mailer {
  const { from, probe, graceMs = defaultGraceMs } = options;
  const domain = from.address.slice(from.address.indexOf("@") + 1);
  const transport = createTransport(poolOptions(options));
  /** By Message-ID: what is known of a running mail's last byte, of which an error says nothing of use. */
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
      if (!plainAddress.test(to)) throw new BadRecipientError(`'${to}' is no plain address of one mailbox`);
      const messageId = `<${bareId}>`;
      const transaction: SmtpTransaction = { sendDeadline, isHandedOver: false, giveUp: new AbortController() };
      running.set(messageId, transaction);
      const envelope = { from: from.address, to: [to] };
      const abort = () => transaction.giveUp.abort(signal.reason);
      signal.addEventListener("abort", abort);
      if (signal.aborted) abort();
      try {
        const address = { from, to: { name: "", address: to } };
        const mail = { ...content, ...address, messageId, envelope, signal: transaction.giveUp.signal };
        const sent = await traced("SMTP send", { kind: "client" }, () => transport.sendMail(mail));
        return sent.response ?? "";
      } catch (error) {
        throw classify(error as SmtpError, transaction.isHandedOver);
      } finally {
        signal.removeEventListener("abort", abort);
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

/** The library makes a mail of dozens of pieces, each of which would be a packet of its own. */
const packetBytes = 65_536;

/**
 * Lets a message through, and its end only in time: a process that was frozen with half a mail on the wire must not
 * finish it when another worker has sent it since.
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
      // All but the end is on the wire by then.
      setImmediate(() => {
        if (performance.now() > transaction.sendDeadline) {
          return transaction.giveUp.abort(
            new Error("The mail server was too slow for the mail to be finished in time"),
          );
        }
        transaction.isHandedOver = true;
        done();
      });
    },
  });
  content.once("error", (error) => through.destroy(error));
  return through;
}

/** Connects to the mail server as the mailer does, logs in, and sends nothing; throws what was wrong. */
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
    // A connection that closed may have delivered its mail: whether to send again is not the pool's to decide.
    maxRequeues: 0,
    // Servers hang up on idle clients, and the next mail would be the one to notice.
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
  // A refused login or greeting is about us, not about the mail, and somebody will mend it.
  if (code >= 500 && ["EENVELOPE", "EMESSAGE"].includes(kind))
    return new RefusedMailError("The mail server refused the mail for good", replied, error);
  if (code >= 400) return new DeferredMailError("The mail server did not take the mail now", replied, error);
  if (!isHandedOver) return error;
  return new UncertainMailError(
    "The connection broke before the mail server answered: it may have the mail or not. Look there for its " +
      "Message-ID before you send it again",
    { cause: error },
  );
}
