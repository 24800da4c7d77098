import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Where every dialogue with a mail server is at some time; `message` is after the dot that ends the mail. */
export const stages = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "message"] as const;
/** With those of dialogues that log in or ask for TLS; it takes any login, and has no TLS. */
export type Stage = (typeof stages)[number] | "STARTTLS" | "AUTH";

/** What the server does otherwise than a good one, in the next dialogues. */
export interface Script {
  /** Replies in place of the usual ones, each with its code. */
  replies?: Partial<Record<Stage, string>>;
  /** Hangs up at this stage, having said so many characters of its reply. */
  cut?: { at: Stage; said: number };
  /** Hangs up when so many bytes of the message are there. */
  cutAfterBytes?: number;
  /** False: forgets the message of a `cut` at `message`, as if its last byte had not come. */
  keeps?: boolean;
  /** Says nothing at this stage, and goes on listening. */
  silentAt?: Stage;
  /** Waits at this stage for `release`. */
  heldAt?: Stage | undefined;
  /** How many dialogues it is for; 1 when absent. */
  times?: number;
}

const shortened: Record<string, Stage | undefined> = { STAR: "STARTTLS" };

const usual: Record<Stage, string> = {
  greeting: "220 ready",
  EHLO: "250-fine\r\n250 AUTH PLAIN",
  STARTTLS: "454 4.7.0 not here",
  AUTH: "235 welcome",
  MAIL: "250 fine",
  RCPT: "250 fine",
  DATA: "354 go on",
  message: "250 taken",
};

export type ScriptedSmtp = Awaited<ReturnType<typeof startScriptedSmtp>>;

/** A mail server that does as it is told, and then as it should; keeps the Message-IDs of what it took. */
export async function startScriptedSmtp() {
  const sockets = new Set<Socket>();
  const taken: string[] = [];
  const held: (() => void)[] = [];
  const refused = new Map<string, string>();
  let dialogues = 0;
  let scripts: Script[] = [];
  /** The script of one dialogue, which begins with the connection or with MAIL. */
  const take = (): Script => scripts.shift() ?? {};

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    let current = take();
    let isFirst = true;
    let message: string | undefined;
    let rest = "";

    const answer = (stage: Stage, recipient?: string) => {
      if (current.silentAt === stage) return;
      if (current.heldAt === stage) {
        current = { ...current, heldAt: undefined };
        return void held.push(() => answer(stage));
      }
      const reply = `${refused.get(recipient ?? "") ?? current.replies?.[stage] ?? usual[stage]}\r\n`;
      if (current.cut?.at !== stage) return void socket.write(reply);
      socket.end(reply.slice(0, current.cut.said), () => socket.destroy());
    };
    const unscripted: Record<string, () => unknown> = {
      QUIT: () => socket.end("221 bye\r\n"),
      RSET: () => socket.write("250 fine\r\n"),
      HELO: () => answer("EHLO"),
    };
    const begin = () => {
      if (!isFirst) current = take();
      isFirst = false;
      dialogues++;
    };
    const converse = (line: string) => {
      const command = line.slice(0, 4).toUpperCase();
      if (unscripted[command]) return void unscripted[command]();
      if (command === "MAIL") begin();
      if (command === "DATA" && !current.replies?.DATA && current.cut?.at !== "DATA") message = "";
      answer(shortened[command] ?? (command as Stage), /^RCPT TO:<(.*?)>/i.exec(line)?.[1]);
    };
    const receive = (data: string) => {
      message += data;
      const text = String(message);
      if (current.cutAfterBytes !== undefined && text.length >= current.cutAfterBytes) return socket.destroy();
      if (!text.endsWith("\r\n.\r\n")) return;
      message = undefined;
      const code = current.replies?.message?.[0] ?? "2";
      if (code === "2" && current.keeps !== false) taken.push(/^message-id: *<([^>]*)>/im.exec(text)?.[1] ?? "");
      answer("message");
    };
    socket.setEncoding("latin1").on("data", (chunk) => {
      if (message !== undefined) return receive(String(chunk));
      rest += chunk;
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        converse(line);
      }
    });
    answer("greeting");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    /** Message-IDs of the messages that it took, in order. */
    taken,
    /** Recipients that it refuses, each with its reply. */
    refused,
    /** How often a mail was offered to it. */
    dialogues: () => dialogues,
    /** Starts again: connections are gone, nothing was taken, and the next dialogues are as told. */
    play(...next: Script[]) {
      hangUp();
      taken.length = 0;
      held.length = 0;
      dialogues = 0;
      refused.clear();
      scripts = next.flatMap((script) => Array.from({ length: script.times ?? 1 }, () => script));
    },
    isHolding: () => held.length > 0,
    /** Answers the held clients. */
    release() {
      for (const answer of held.splice(0)) answer();
    },
    async close() {
      hangUp();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
