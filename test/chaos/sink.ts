import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { Sink } from "./work.ts";

/** A mail server that counts what it got, refuses now and then, and cuts connections when it is told to. */
export interface RunningSink extends Sink {
  /** How often each note has arrived. */
  arrived: Map<number, number>;
  /** The next so many mails are taken, and their senders never hear of it. */
  cutAfter(mails: number): void;
  stop(): void;
}

/** Every so-many-th mail is refused for the moment (reply 451). */
const refusedEvery = 97;

/** Starts it on free ports of 127.0.0.1. */
export async function startSink(): Promise<RunningSink> {
  const arrived = new Map<number, number>();
  let cuts = 0;
  let mails = 0;
  const smtp = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, done) {
      stream.resume().once("end", () => {
        if (++mails % refusedEvery === 0) return done(Object.assign(new Error("Later"), { responseCode: 451 }));
        const [recipient] = session.envelope.rcptTo;
        const n = Number(/^note-(\d+)@/.exec(recipient?.address ?? "")?.[1]);
        arrived.set(n, (arrived.get(n) ?? 0) + 1);
        if (cuts-- > 0) return cut(smtp, session.id);
        done();
      });
    },
  });
  smtp.on("error", () => undefined);
  smtp.listen(0, "127.0.0.1");
  await once(smtp.server, "listening");
  const probe = createServer((req, res) => res.end(JSON.stringify(arrived.has(Number(req.url?.slice(1))))));
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  return {
    smtpPort: (smtp.server.address() as AddressInfo).port,
    probeUrl: `http://127.0.0.1:${(probe.address() as AddressInfo).port}/`,
    arrived,
    cutAfter(count) {
      cuts = count;
    },
    stop() {
      smtp.close();
      probe.close();
      probe.closeAllConnections();
    },
  };
}

interface Connection {
  id: string;
  _socket: { destroy(): void };
}

function cut(smtp: SMTPServer, sessionId: string) {
  const { connections } = smtp as unknown as { connections: Set<Connection> };
  for (const connection of connections) if (connection.id === sessionId) connection._socket.destroy();
}
