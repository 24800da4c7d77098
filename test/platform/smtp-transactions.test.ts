import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { costOf } from "../../src/engine/classify-error.ts";
import {
  createMailer,
  DeferredMailError,
  type Mailer,
  MailServerError,
  RefusedMailError,
  UncertainMailError,
} from "../../src/platform/mailer.ts";
import { type SmtpStage, smtpStages } from "../../src/platform/smtp-replies.ts";
import { exampleReplies } from "../support/example-replies.ts";
import { type Script, type ScriptedSmtp, type Stage, stages, startScriptedSmtp } from "../support/scripted-smtp.ts";

let smtp: ScriptedSmtp;
let mailers: Record<"plain" | "login" | "starttls", Mailer>;
beforeAll(async () => {
  smtp = await startScriptedSmtp();
  const server = { host: "127.0.0.1", port: smtp.port, from: { name: "Shop", address: "shop@test.example" } };
  const credentials = { user: "shop", pass: "secret" };
  mailers = {
    plain: createMailer({ ...server, security: "none" }),
    login: createMailer({ ...server, security: "none", credentials }),
    starttls: createMailer({ ...server, security: "starttls" }),
  };
});
afterAll(async () => {
  for (const mailer of Object.values(mailers)) mailer.close();
  await smtp.close();
});

/** A mailer whose dialogues come to this stage. */
const mailerTo = (stage: SmtpStage) =>
  stage === "AUTH" ? mailers.login : stage === "STARTTLS" ? mailers.starttls : mailers.plain;

interface Sending {
  html?: string;
  sendDeadline?: number;
  mailer?: Mailer;
}

/** What came of a mail: the server's words, or the error. */
async function outcomeOf(
  script: Script,
  { html = "<p>Hello</p>", sendDeadline, mailer = mailers.plain }: Sending = {},
) {
  smtp.play(script);
  const mail = { messageId: `${randomUUID()}@test.example`, to: "anna@test.example", subject: "s", text: "t", html };
  const options = { signal: AbortSignal.timeout(10_000), sendDeadline: sendDeadline ?? performance.now() + 10_000 };
  return mailer.send(mail, options).catch((error: unknown) => error);
}

describe("a reply", () => {
  test.each(exampleReplies)(
    "'$reply' at $stage counts for what it is about",
    async ({ stage, reply, about, fault }) => {
      const outcome = await outcomeOf({ replies: { [stage]: reply } }, { mailer: mailerTo(stage) });
      const code = Number(reply.slice(0, 3));
      if (about === "us") {
        expect(outcome).toBeInstanceOf(MailServerError);
        expect(outcome).toMatchObject({ fault, reply: { stage, code, reply } });
        expect(costOf(outcome)).toBe("none");
      } else {
        expect(outcome).toBeInstanceOf(code >= 500 ? RefusedMailError : DeferredMailError);
        expect(outcome).toMatchObject({ code, reply });
        expect(costOf(outcome)).toBe(code >= 500 ? "all" : "one");
      }
      expect(smtp.taken).toEqual([]);
    },
  );

  test("of several lines is read as one", async () => {
    const reply = "550-5.1.1 The account does not exist.\r\n550 5.1.1 Check the address";
    expect(await outcomeOf({ replies: { RCPT: reply } })).toMatchObject({ code: 550, name: "RefusedMailError" });
  });

  test.each(["354 more", "199 what", "hello"])(
    "after the dot that is no answer (%s) leaves all open",
    async (reply) => {
      expect(await outcomeOf({ replies: { message: reply } })).toBeInstanceOf(UncertainMailError);
    },
  );

  test.each(smtpStages.slice(0, -1))("that no mail server would give is about us at %s", async (stage) => {
    const outcome = await outcomeOf({ replies: { [stage]: "999 what" } }, { mailer: mailerTo(stage) });
    expect(outcome).toBeInstanceOf(MailServerError);
    expect(smtp.taken).toEqual([]);
  });
});

/** What came of a mail whose server waits at a stage until `then`. */
async function outcomeAfterWait(heldAt: Stage, sendDeadline: number, then: () => void) {
  const sending = outcomeOf({ heldAt }, { sendDeadline });
  await vi.waitFor(() => expect(smtp.isHolding()).toBe(true));
  // Time for all of the mail to be made, if it were made too early: what is right does not depend on it.
  await new Promise((resolve) => setTimeout(resolve, 200));
  then();
  return sending;
}

describe("a server that takes its time", () => {
  const before = stages.slice(2, -1);
  test.each(before)("at %s, and hangs up then, has surely got nothing", async (stage) => {
    const outcome = await outcomeAfterWait(stage, performance.now() + 10_000, () => smtp.play());
    expect(outcome).toMatchObject({ name: "MailServerError", fault: "session" });
  });

  test.each(before)("at %s, until it is too late, does not get the end of the mail", async (stage) => {
    const outcome = await outcomeAfterWait(stage, performance.now() + 100, smtp.release);
    expect(outcome).toMatchObject({ name: "MailServerError", fault: "session" });
    expect(smtp.taken).toEqual([]);
  });

  test("after the dot, and hangs up then, leaves all open", async () => {
    const outcome = await outcomeAfterWait("message", performance.now() + 10_000, () => smtp.play());
    expect(outcome).toBeInstanceOf(UncertainMailError);
  });
});

describe("a connection that breaks", () => {
  const beforeTheMessage: [string, Script][] = stages.slice(0, -1).flatMap((at): [string, Script][] => [
    [`at ${at} without a word`, { cut: { at, said: 0 } }],
    [`in the middle of the reply to ${at}`, { cut: { at, said: 2 } }],
  ]);
  test.each(beforeTheMessage)("%s has surely sent nothing, and costs nothing", async (_where, script) => {
    const outcome = await outcomeOf(script);
    expect(outcome).toBeInstanceOf(MailServerError);
    expect(outcome).toMatchObject({ fault: "session", reply: undefined });
    expect(smtp.taken).toEqual([]);
  });

  test.each([1, 100, 100_000])("after %i bytes of a long message has surely sent nothing", async (cutAfterBytes) => {
    expect(await outcomeOf({ cutAfterBytes }, { html: "x".repeat(8_000_000) })).toBeInstanceOf(MailServerError);
    expect(smtp.taken).toEqual([]);
  });

  test.each<[string, Script, number]>([
    ["with the last bytes on the way", { cut: { at: "message", said: 0 }, keeps: false }, 0],
    ["after the dot without a word", { cut: { at: "message", said: 0 } }, 1],
    ["in the middle of the code that it was taken", { cut: { at: "message", said: 2 } }, 1],
    ["before the end of the line that it was taken", { cut: { at: "message", said: 9 } }, 1],
  ])("%s leaves all open", async (_where, script, taken) => {
    expect(await outcomeOf(script)).toBeInstanceOf(UncertainMailError);
    expect(smtp.taken).toHaveLength(taken);
  });

  test("after the whole line that it was taken is no matter", async () => {
    expect(await outcomeOf({ cut: { at: "message", said: 11 } })).toBe("250 taken");
    expect(smtp.taken).toHaveLength(1);
  });
});

test("the end of a message goes out in time or never", async () => {
  const late = await outcomeOf({}, { sendDeadline: performance.now() - 1 });
  expect(late).toBeInstanceOf(Error);
  expect(late).not.toBeInstanceOf(UncertainMailError);
  expect(smtp.taken).toEqual([]);
});
