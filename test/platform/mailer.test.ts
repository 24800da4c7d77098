import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { costOf } from "../../src/engine/classify-error.ts";
import {
  BadRecipientError,
  createMailer,
  type Mailer,
  RefusedMailError,
  UncertainMailError,
} from "../../src/platform/mailer.ts";
import { startBreakingSmtp } from "../support/breaking-smtp.ts";
import { useMailbox } from "../support/mailbox.ts";
import { startScriptedSmtp } from "../support/scripted-smtp.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const mailbox = useMailbox();
const id = "0197a000-0000-7000-8000-000000000001";
const content = { subject: "Тема", text: "Текст", html: "<p>Текст</p>" };
const from = { name: "ТЦ Форд", address: "shop@test.example" };

function send(mailer: Mailer, to = "anna@test.example", more: Partial<Parameters<Mailer["send"]>[0]> = {}) {
  return mailer.send(
    { messageId: `${id}@test.example`, to, ...content, ...more },
    { signal: AbortSignal.timeout(15_000) },
  );
}

function mailerAt(port: number) {
  const mailer = createMailer({ host: "127.0.0.1", port, from, security: "none" });
  closers.push(() => mailer.close());
  return mailer;
}

/** A mailer on a server that behaves as told. */
async function mailerFor(options: SMTPServerOptions) {
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    closeTimeout: 50,
    onData: (stream, _session, callback) => stream.resume().on("end", () => callback()),
    ...options,
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  closers.push(() => new Promise((resolve) => server.close(() => resolve(undefined))));
  return mailerAt((server.server.address() as AddressInfo).port);
}

const reply = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("the mailer", () => {
  test("hands one mail to its one recipient and says what the server said", async () => {
    const mailer = createMailer(mailbox.mailerOptions());
    closers.push(() => mailer.close());
    expect(await send(mailer, "one@test.example", { headers: { "List-Unsubscribe": "<mailto:x@y.example>" } })).toMatch(
      /^250 /,
    );
    const [mail, ...others] = await mailbox.mailsTo("one@test.example");
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ ...content, recipients: ["one@test.example"], message_id: `${id}@test.example` });
    expect(mail?.from).toBe('"ТЦ Форд" <shop@test.example>');
    expect(mail?.headers).toContainEqual({ name: "List-Unsubscribe", value: "<mailto:x@y.example>" });
  });

  test.each([
    ["a subject", { subject: "a\r\nBcc: evil@test.example" }],
    ["a header", { headers: { "X-Name": "a\r\nBcc: evil@test.example" } }],
  ])("accepts no smuggled recipient by %s", async (_what, more) => {
    const mailer = createMailer(mailbox.mailerOptions());
    closers.push(() => mailer.close());
    await send(mailer, "two@test.example", more);
    expect(await mailbox.mailsTo("evil@test.example")).toEqual([]);
    const [mail] = await mailbox.mailsTo("two@test.example");
    expect(mail?.headers.some(({ name }) => name.toLowerCase() === "bcc")).toBe(false);
  });

  test("reads neither files nor addresses into a mail", async () => {
    const mailer = createMailer(mailbox.mailerOptions());
    closers.push(() => mailer.close());
    const path = { path: "/etc/hostname" } as unknown as string;
    await expect(send(mailer, "three@test.example", { text: path })).rejects.toThrow(/File access rejected/);
    const href = { href: "http://127.0.0.1:9/x" } as unknown as string;
    await expect(send(mailer, "three@test.example", { html: href })).rejects.toThrow(/Url access rejected/);
  });

  test.each([
    ["an unknown recipient", { onRcptTo: (_address, _session, done) => done(reply(550, "No such user")) }],
    [
      "a mail that it dislikes",
      { onData: (stream, _session, done) => stream.resume().on("end", () => done(reply(554, "Spam"))) },
    ],
  ] satisfies [string, SMTPServerOptions][])("gives up at %s", async (_what, options) => {
    const error = await errorOf(send(await mailerFor(options)));
    expect(error).toBeInstanceOf(RefusedMailError);
    expect(String(error)).toMatch(/refused the mail for good: '55\d /);
    expect(costOf(error)).toBe("all");
  });

  test.each([
    ["a greylist", "one", { onRcptTo: (_address, _session, done) => done(reply(451, "Try later")) }],
    [
      "a full disk after the mail",
      "none",
      { onData: (stream, _session, done) => stream.resume().on("end", () => done(reply(452, "No room"))) },
    ],
    ["a refused greeting", "none", { onConnect: (_session, done) => done(reply(554, "No service here")) }],
    ["a sender that is not welcome", "none", { onMailFrom: (_address, _session, done) => done(reply(553, "Not you")) }],
  ] satisfies [string, string, SMTPServerOptions][])(
    "can try again after %s: costs %s",
    async (_what, cost, options) => {
      const error = await errorOf(send(await mailerFor(options)));
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(UncertainMailError);
      expect(costOf(error)).toBe(cost);
    },
  );

  test("can try again when no server listens, and when there is no such host", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const refused = await errorOf(send(mailerAt(port)));
    expect(refused).toMatchObject({
      fault: "unreachable",
      message: expect.stringContaining("SMTP_HOST and SMTP_PORT"),
    });
    expect(costOf(refused)).toBe("none");

    const nowhere = createMailer({ host: "nowhere.invalid", port: 25, from, security: "none" });
    closers.push(() => nowhere.close());
    expect(costOf(await errorOf(send(nowhere)))).toBe("none");
  });

  test.each(["rcpt", "middle"] as const)("can try again when the connection breaks at %s", async (point) => {
    const server = await startBreakingSmtp(point);
    closers.push(server.close);
    const error = await errorOf(send(mailerAt(server.port), "anna@test.example", { html: "x".repeat(5_000_000) }));
    expect(error).toBeInstanceOf(Error);
    expect(costOf(error)).toBe("none");
    expect(server.state.arrived).toBe(0);
  });

  test("never sends again a mail whose last byte is out, neither by itself nor by a retry", async () => {
    const server = await startBreakingSmtp("end");
    closers.push(server.close);
    const error = await errorOf(send(mailerAt(server.port)));
    expect(error).toBeInstanceOf(UncertainMailError);
    expect(costOf(error)).toBe("all");
    // The pool would wait for 50 ms before it sends again.
    await sleep(500);
    expect(server.state).toEqual({ arrived: 1, connections: 1 });
  });

  test("says so, too, when it is told to give up after the last byte", async () => {
    const server = await startBreakingSmtp("end", { silent: true });
    closers.push(server.close);
    const giveUp = new AbortController();
    const sending = errorOf(
      mailerAt(server.port).send({ messageId: id, to: "anna@test.example", ...content }, { signal: giveUp.signal }),
    );
    await expect.poll(() => server.state.arrived).toBe(1);
    giveUp.abort();
    expect(await sending).toBeInstanceOf(UncertainMailError);
  });
});

describe("an address", () => {
  test("with a domain in another script goes to its ASCII form", async () => {
    const smtp = await startScriptedSmtp();
    closers.push(smtp.close);
    smtp.refused.set("anna@xn--80a1acny.test", "550 5.1.1 asked for");
    expect(await errorOf(send(mailerAt(smtp.port), "anna@почта.test"))).toMatchObject({ reply: "550 5.1.1 asked for" });
  });

  test.each(["анна@test.example", "анна@почта.test", "a.ж@test.example"])(
    "with other scripts before the @ is refused with what it would need: %s",
    async (address) => {
      const error = await errorOf(send(mailerAt(9), address));
      expect(error).toBeInstanceOf(BadRecipientError);
      expect(String(error)).toContain("SMTPUTF8");
    },
  );

  test.each([
    "a@поч/та.test",
    "a@x.test@почта.test",
    "a@почта.test\r\nBcc: b@x.test",
    "a@[почта].test",
    "",
    "@",
    "a b@почта.test",
  ])("is one mailbox or nothing: %j", async (address) => {
    const error = await errorOf(send(mailerAt(9), address));
    expect(error).toBeInstanceOf(BadRecipientError);
    expect(String(error)).toContain("is not the plain address of one mailbox");
  });
});

describe("DKIM", () => {
  test("signs what was sent, so that a change shows", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const dkim = { domainName: "test.example", keySelector: "shop", privateKey: pem };
    const mailer = createMailer({ ...mailbox.mailerOptions(), dkim });
    closers.push(() => mailer.close());
    const headers = {
      "List-Unsubscribe": "<https://x.example/u>",
      "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    };
    await send(mailer, "signed@test.example", { headers });
    const [mail] = await mailbox.mailsTo("signed@test.example");
    const header = mail?.headers.find(({ name }) => name === "DKIM-Signature")?.value.replaceAll(/\s+/g, "") ?? "";
    const field = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(header)?.[1] ?? "";
    expect([field("d"), field("s"), field("a"), field("c")]).toEqual([
      "test.example",
      "shop",
      "rsa-sha256",
      "relaxed/relaxed",
    ]);
    const raw = await (await fetch(`${mailbox.pageUrl()}/messages/${mail?.id}/raw`)).text();
    const [head = "", body = ""] = [raw.slice(0, raw.indexOf("\r\n\r\n")), raw.slice(raw.indexOf("\r\n\r\n") + 4)];
    const relaxedBody = `${body
      .replaceAll(/[ \t]+(?=\r\n)/g, "")
      .replaceAll(/[ \t]+/g, " ")
      .replace(/(\r\n)*$/, "")}\r\n`;
    expect(field("bh")).toBe(createHash("sha256").update(relaxedBody).digest("base64"));
    // RFC 6376 3.4.2: unfolded, blanks as one, names in lower case; the signature's own header last, without its value.
    const lines = head.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n");
    const relaxed = (line: string) => {
      const colon = line.indexOf(":");
      return `${line.slice(0, colon).trim().toLowerCase()}:${line
        .slice(colon + 1)
        .replaceAll(/\s+/g, " ")
        .trim()}`;
    };
    const named = (name: string) => lines.find((line) => line.toLowerCase().startsWith(`${name}:`)) ?? "";
    const signed = field("h").toLowerCase().split(":");
    const own = relaxed(named("dkim-signature")).replace(/([;\s]b=)[^;]*/, "$1");
    const text = [...signed.map((name) => relaxed(named(name))), own].join("\r\n");
    const signature = Buffer.from(field("b"), "base64");
    expect(verify("sha256", Buffer.from(text), publicKey, signature)).toBe(true);
    expect(signed).toEqual(expect.arrayContaining(["from", "to", "subject", "message-id"]));
    // One-click unsubscribing is only offered when both are covered (RFC 8058 4).
    expect(signed).toEqual(expect.arrayContaining(["list-unsubscribe", "list-unsubscribe-post"]));
  });
});
