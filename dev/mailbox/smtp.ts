import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { listen } from "../../src/platform/listen.ts";
import { portAdvice } from "../services/service.ts";
import type { MailStore } from "./mail-store.ts";

/** A running SMTP server. */
export interface Smtp {
  readonly port: number;
  stop(): Promise<void>;
}

const largestMail = 25 * 1024 * 1024;
const closeTimeoutMilliseconds = 100;

/** Starts an SMTP server on 127.0.0.1 that accepts mail from and to every address; throws when the port is taken. */
export async function startSmtp(store: MailStore, port: number): Promise<Smtp> {
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    size: largestMail,
    closeTimeout: closeTimeoutMilliseconds,
    onAuth: ({ username }, _session, callback) => callback(null, { user: username ?? "unknown" }),
    onData: (stream, session, callback) => {
      receive(store, stream, session).then(
        (id) => callback(null, `Kept as ${id}`),
        (error: Error) => callback(error),
      );
    },
  });
  // A sender that breaks off is none of our business; a port that is taken is reported below.
  server.on("error", () => undefined);
  return {
    port: await listen(server.server, { port, host: "127.0.0.1", advice: portAdvice }),
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

async function receive(store: MailStore, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (!stream.sizeExceeded) {
      chunks.push(chunk);
    }
  }
  if (stream.sizeExceeded) {
    throw Object.assign(new Error("The mail is too large."), { responseCode: 552 });
  }
  const { mailFrom, rcptTo } = session.envelope;
  const from = mailFrom === false ? "" : mailFrom.address;
  const { id } = await store.add({ from, recipients: rcptTo.map(({ address }) => address) }, Buffer.concat(chunks));
  return id;
}
