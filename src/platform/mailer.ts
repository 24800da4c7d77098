import { createTransport, type SMTPPoolOptions } from "nodemailer";

export interface MailerOptions {
  host: string;
  port: number;
  credentials?: { user: string; pass: string } | undefined;
  from: Sender;
  security: "none" | "starttls" | "tls";
}

export interface Sender {
  name: string;
  address: string;
}

/** One message to one recipient. */
export interface OutgoingMail {
  /** Names the message for ever: the same id gives the same Message-ID. */
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers?: Record<string, string>;
}

export interface Mailer {
  from: Sender;
  /**
   * Hands a mail to the server and returns what it said. Throws `RefusedMailError` when it will never take it,
   * `UncertainMailError` when nobody knows whether it has, and anything else when it surely has not: try again then.
   */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<string>;
  /** Drops idle connections now, busy ones after their mail. */
  close(): void;
}

/** The server has refused the mail for good (reply 5xx). */
export class RefusedMailError extends Error {
  override readonly name = "RefusedMailError";
}

/** The connection broke after the whole mail was sent and before the server answered (RFC 1047). */
export class UncertainMailError extends Error {
  override readonly name = "UncertainMailError";
}

const connectMs = 10_000;
const answerMs = 20_000;

/** A mailer on a pool of connections to one server, the first of which is made with the first mail. */
export function createMailer(options: MailerOptions): Mailer {
  const { from } = options;
  const domain = from.address.slice(from.address.indexOf("@") + 1);
  const transport = createTransport(poolOptions(options));
  /** Message-IDs of running mails whose last byte has gone to the server; what an error says of that is no use. */
  const handedOver = new Set<string | undefined>();
  transport.use("stream", ({ data, message }, done) => {
    message?.processFunc((content) => content.once("end", () => handedOver.add(data.messageId)));
    done();
  });

  return {
    from,
    async send({ id, to, ...content }, signal) {
      const messageId = `<${id}@${domain}>`;
      const envelope = { from: from.address, to: [to] };
      try {
        const mail = { ...content, messageId, envelope, from, to: { name: "", address: to }, signal };
        return (await transport.sendMail(mail)).response ?? "";
      } catch (error) {
        throw classify(error as SmtpError, handedOver.has(messageId));
      } finally {
        handedOver.delete(messageId);
      }
    },
    close: () => transport.close(),
  };
}

/** Connects to the mail server as the mailer does, logs in, and sends nothing; throws what was wrong. */
export async function checkMailServer(options: MailerOptions): Promise<void> {
  const transport = createTransport(poolOptions(options));
  await transport.verify().finally(() => transport.close());
}

function poolOptions({ host, port, credentials, security }: MailerOptions): SMTPPoolOptions & { pool: true } {
  return {
    pool: true,
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(credentials && { auth: credentials }),
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
  const { code = "", responseCode = 0, response = "" } = error;
  // A refused login or greeting is about us, not about the mail, and somebody will mend it.
  if (responseCode >= 500 && ["EENVELOPE", "EMESSAGE"].includes(code))
    return new RefusedMailError(`The mail server refused the mail for good: '${response.trim()}'`, { cause: error });
  if (responseCode > 0 || !isHandedOver) return error;
  return new UncertainMailError(
    "The connection broke before the mail server answered: it may have the mail or not. Look there for its " +
      "Message-ID before you send it again",
    { cause: error },
  );
}
