import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { costOf } from "../../src/engine/classify-error.ts";
import { checkMailServer, createMailer, type Mailer, type MailerOptions } from "../../src/platform/mailer.ts";
import { trustAlso } from "../../src/platform/tls.ts";
import { canRunPostfix, type Postfix, startPostfix } from "../support/postfix.ts";
import { createAuthority, hasOpenssl } from "../support/tls.ts";

const login = { user: "shop", pass: "right" };
const services = {
  usual: {},
  encrypted: { smtpd_tls_security_level: "encrypt" },
  owned: { smtpd_sender_restrictions: "reject_sender_login_mismatch" },
  closed: { smtpd_relay_restrictions: "permit_sasl_authenticated, reject_unauth_destination" },
  small: { message_size_limit: "20000" },
  limited: { smtpd_client_message_rate_limit: "3" },
  crowded: { smtpd_client_connection_count_limit: "3" },
  plain: { smtpd_discard_ehlo_keywords: "8bitmime, chunking, pipelining, dsn, smtputf8, size, starttls" },
  patient: { smtpd_hard_error_limit: "2" },
} as const;
type Service = keyof typeof services;

const recipients = [
  "{ gone@test.example = 550 5.1.1 No such user }",
  "{ full@test.example = 452 4.2.2 Mailbox full }",
  "{ grey@test.example = defer_if_permit Greylisted }",
].join(" ");

/** The outcome of a mail, in short: what the server said, or what it was about. */
async function outcomeOf(mailer: Mailer, to: string, html = "<p>Привет</p>") {
  const mail = { messageId: `${randomUUID()}@test.example`, to, subject: "Тема", text: "Привет", html };
  try {
    return (await mailer.send(mail, { signal: AbortSignal.timeout(20_000) })).slice(0, 3);
  } catch (error) {
    const { name, fault } = error as { name: string; fault?: string };
    return [name, ...(fault ? [fault] : []), costOf(error)].join(" ");
  }
}

describe.skipIf(!canRunPostfix || !hasOpenssl)(
  "Debian's postfix (skipped where it or openssl is missing, or this process is not root)",
  () => {
    let postfix: Postfix<Service>;
    const mailers: Mailer[] = [];
    const optionsFor = (service: Service, more: Partial<MailerOptions> = {}): MailerOptions => ({
      host: "localhost",
      port: postfix.ports[service],
      from: { name: "Shop", address: "shop@shop.test" },
      security: "starttls",
      credentials: login,
      ...more,
    });
    const mailerFor = (service: Service, more: Partial<MailerOptions> = {}) => {
      const mailer = createMailer(optionsFor(service, more));
      mailers.push(mailer);
      return mailer;
    };
    const noLogin = { credentials: undefined };

    beforeAll(async () => {
      const authority = createAuthority(join(inject("directory"), "postfix-tls"));
      trustAlso([authority.pem]);
      postfix = await startPostfix({
        services,
        certificate: authority.issue(),
        login,
        settings: {
          smtputf8_enable: "no",
          smtpd_recipient_restrictions: `check_recipient_access inline:{ ${recipients} }`,
          smtpd_sender_login_maps: "inline:{ { shop@shop.test = shop } { boss@shop.test = boss } }",
        },
      });
    });
    afterAll(async () => {
      for (const mailer of mailers) mailer.close();
      await postfix?.stop();
    });

    test("takes mail with STARTTLS and a login, and relays it", async () => {
      await checkMailServer(optionsFor("usual"));
      expect(await outcomeOf(mailerFor("usual"), "anna@elsewhere.test")).toBe("250");
      const html = `<p>${"Привет ".repeat(500)}</p>`;
      expect(await outcomeOf(mailerFor("usual"), "anna@test.example", html)).toBe("250");
      await expect.poll(() => postfix.mails().join(), { timeout: 10_000 }).toContain("Delivered-To: anna@test.example");
    });

    test.each<[string, Service, Partial<MailerOptions>, string, string]>([
      ["a wrong password", "usual", { credentials: { user: "shop", pass: "wrong" } }, "anna@test.example", "login"],
      ["no TLS where it has to be", "encrypted", { security: "none", ...noLogin }, "anna@test.example", "tls"],
      ["no TLS where the server has none", "plain", {}, "anna@test.example", "tls"],
      ["a recipient elsewhere without a login", "usual", noLogin, "anna@elsewhere.test", "relay"],
      ["the same, where that is final", "closed", noLogin, "anna@elsewhere.test", "relay"],
      [
        "another's address as sender",
        "owned",
        { from: { name: "", address: "boss@shop.test" } },
        "anna@test.example",
        "sender",
      ],
    ])("says that it is about us: %s", async (_what, service, more, to, fault) => {
      expect(await outcomeOf(mailerFor(service, more), to)).toBe(`MailServerError ${fault} none`);
    });

    test.each([
      ["gone@test.example", "RefusedMailError all"],
      ["full@test.example", "DeferredMailError one"],
      ["grey@test.example", "DeferredMailError one"],
    ])("says that it is about the recipient: %s", async (to, outcome) => {
      expect(await outcomeOf(mailerFor("usual"), to)).toBe(outcome);
    });

    test("says that it is about the message, when that is too large", async () => {
      expect(await outcomeOf(mailerFor("small"), "anna@test.example", "x".repeat(50_000))).toBe("RefusedMailError all");
    });

    test("says that it is about us when we send more than we may in a minute", async () => {
      const mailer = mailerFor("limited");
      for (let n = 0; n < 3; n++) expect(await outcomeOf(mailer, "anna@test.example")).toBe("250");
      expect(await outcomeOf(mailer, "anna@test.example")).toBe("MailServerError limit none");
    });

    test("takes mails on some connections when it refuses others, and that holds no mail back", async () => {
      const mailer = mailerFor("crowded");
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(mailer, "anna@test.example")));
      expect(new Set(outcomes)).toEqual(new Set(["250", "MailServerError session none"]));
      expect(mailer.fault()).toBeUndefined();
      await expect.poll(() => outcomeOf(mailer, "anna@test.example"), { timeout: 10_000 }).toBe("250");
    });

    test("ends a session with 421 after bad recipients, and the next mail goes by another one", async () => {
      const mailer = mailerFor("patient");
      for (let n = 0; n < 3; n++) {
        const outcome = await outcomeOf(mailer, "gone@test.example");
        expect(["RefusedMailError all", "MailServerError session none"]).toContain(outcome);
      }
      await expect.poll(() => outcomeOf(mailer, "anna@test.example"), { timeout: 10_000 }).toBe("250");
    });

    test("needs none of 8BITMIME, CHUNKING, PIPELINING, SIZE and SMTPUTF8, also for a domain in another script", async () => {
      const mailer = mailerFor("plain", { security: "none", ...noLogin });
      expect(await outcomeOf(mailer, "vera@почта.test")).toBe("250");
      const of = () => postfix.mails().find((mail) => mail.includes("Delivered-To: vera@xn--80a1acny.test"));
      await expect.poll(of, { timeout: 10_000 }).toBeDefined();
      expect(of()).toMatch(/^[\t\r\n -~]*$/);
      expect(await outcomeOf(mailer, "вера@почта.test")).toBe("BadRecipientError all");
    });
  },
);

describe("a server that ends each session after three mails", () => {
  test("gets every mail once, and none is refused for good", async () => {
    const arrived: string[] = [];
    const sessions = new Map<string, number>();
    const server = new SMTPServer({
      disabledCommands: ["STARTTLS", "AUTH"],
      disableReverseLookup: true,
      closeTimeout: 50,
      onMailFrom(_address, { id }, done) {
        const mails = (sessions.get(id) ?? 0) + 1;
        sessions.set(id, mails);
        done(mails > 3 ? Object.assign(new Error("4.7.0 Enough mails"), { responseCode: 421 }) : null);
      },
      onRcptTo({ address }, _session, done) {
        arrived.push(address);
        done();
      },
      onData: (stream, _session, done) => stream.resume().on("end", () => done()),
    });
    server.on("error", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    const { port } = server.server.address() as AddressInfo;
    const from = { name: "Shop", address: "shop@shop.test" };
    const mailer = createMailer({ host: "127.0.0.1", port, from, security: "none" });
    const wanted = Array.from({ length: 100 }, (_, n) => `reader-${n}@test.example`);
    const send = async (to: string) => {
      for (;;) {
        const outcome = await outcomeOf(mailer, to);
        if (outcome === "250") return;
        expect(outcome).toBe("MailServerError session none");
      }
    };
    await Promise.all(wanted.map(send));
    expect(arrived.sort()).toEqual(wanted.sort());
    expect(mailer.fault()).toBeUndefined();
    mailer.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
