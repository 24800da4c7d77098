import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer, type SMTPServerDataStream } from "smtp-server";

export type MailSink = Awaited<ReturnType<typeof startMailSink>>;

/** Where in a dialogue the server may say no. */
export const refusalStages = ["greeting", "MAIL", "RCPT", "DATA"] as const;

/** One reply that is no yes. */
export interface Refusal {
  stage: (typeof refusalStages)[number];
  code: number;
}

/** Every so many messages one is put off, as a busy server does. */
const deferredEvery = 97;

/**
 * An SMTP server that counts the messages it has taken by their Message-ID, and puts off every 97th; with the delivery
 * probe that a real mail service would have (`GET /api/has?message_id=`).
 */
export async function startMailSink() {
  const received = new Map<string, number>();
  const refusals: Refusal[] = [];
  let offered = 0;
  let refusedForGood = 0;

  /** The refusal that waits for this stage, as smtp-server wants it; it is given once. */
  const refusalAt = (stage: Refusal["stage"]) => {
    const index = refusals.findIndex((refusal) => refusal.stage === stage);
    const [refusal] = index < 0 ? [] : refusals.splice(index, 1);
    if (!refusal) return undefined;
    // A refused greeting or sender is about the client, not about a mail.
    if (refusal.code >= 500 && stage !== "greeting" && stage !== "MAIL") refusedForGood++;
    return replyOf(refusal.code);
  };
  const take = async (stream: SMTPServerDataStream) => {
    const message = (await buffer(stream)).toString("latin1");
    offered++;
    if (offered % deferredEvery === 0) throw replyOf(451);
    const refusal = refusalAt("DATA");
    if (refusal) throw refusal;
    const id = /^message-id: (<[^>]+>)/im.exec(message)?.[1] ?? "";
    received.set(id, (received.get(id) ?? 0) + 1);
  };
  const smtp = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect: (_session, callback) => callback(refusalAt("greeting")),
    onMailFrom: (_address, _session, callback) => callback(refusalAt("MAIL")),
    onRcptTo: (_address, _session, callback) => callback(refusalAt("RCPT")),
    onData: (stream, _session, callback) => {
      take(stream).then(
        () => callback(null, "Taken"),
        (error: Error) => callback(error),
      );
    },
  });
  smtp.on("error", () => undefined);
  smtp.listen(0, "127.0.0.1");
  const probe = createServer(({ url = "" }, response) => {
    const id = new URL(url, "http://sink").searchParams.get("message_id") ?? "";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ has: received.has(id) }));
  });
  probe.listen(0, "127.0.0.1");
  await Promise.all([once(smtp.server, "listening"), once(probe, "listening")]);
  return {
    /** How often each Message-ID has arrived. */
    received,
    /** What it still has to say no to, each once. */
    refusals,
    /** How many mails it has refused for good: with a code of 500 or above, for their recipient or their message. */
    refusedForGood: () => refusedForGood,
    port: (smtp.server.address() as AddressInfo).port,
    probeUrl: `http://127.0.0.1:${(probe.address() as AddressInfo).port}`,
    async stop() {
      probe.close();
      probe.closeAllConnections();
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
    },
  };
}

const replyOf = (responseCode: number) => Object.assign(new Error("Not this one"), { responseCode });
