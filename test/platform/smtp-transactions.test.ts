import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createMailer,
  DeferredMailError,
  type Mailer,
  RefusedMailError,
  UncertainMailError,
} from "../../src/platform/mailer.ts";
import { type Script, type ScriptedSmtp, type Stage, stages, startScriptedSmtp } from "../support/scripted-smtp.ts";

let smtp: ScriptedSmtp;
let mailer: Mailer;
beforeAll(async () => {
  smtp = await startScriptedSmtp();
  const from = { name: "Shop", address: "shop@test.example" };
  mailer = createMailer({ host: "127.0.0.1", port: smtp.port, from, security: "none" });
});
afterAll(async () => {
  mailer.close();
  await smtp.close();
});

/** What came of a mail: the server's words, or the error. */
async function outcomeOf(script: Script, html = "<p>Hello</p>", sendDeadline = performance.now() + 10_000) {
  smtp.play(script);
  const mail = { messageId: "one@test.example", to: "anna@test.example", subject: "s", text: "t", html };
  return mailer.send(mail, { signal: AbortSignal.timeout(10_000), sendDeadline }).catch((error: unknown) => error);
}

const codes = [421, 450, 451, 452, 550, 552, 553, 554];
/** 5xx is a verdict on the mail from MAIL on; before that it is one on us. */
const isVerdict = (stage: Stage, code: number) => code >= 500 && stage !== "greeting" && stage !== "EHLO";

describe("a reply", () => {
  const table = stages.flatMap((stage) => codes.map((code) => [code, stage] as const));
  test.each(table)("%i at %s decides, and nothing is sent", async (code, stage) => {
    const outcome = await outcomeOf({ replies: { [stage]: `${code} no` } });
    expect(outcome).toBeInstanceOf(isVerdict(stage, code) ? RefusedMailError : DeferredMailError);
    expect(outcome).toMatchObject({ code, reply: `${code} no` });
    expect(smtp.taken).toEqual([]);
  });

  test.each(["354 more", "199 what", "hello"])(
    "after the dot that is no answer (%s) leaves all open",
    async (reply) => {
      expect(await outcomeOf({ replies: { message: reply } })).toBeInstanceOf(UncertainMailError);
    },
  );
});

describe("a connection that breaks", () => {
  const beforeTheMessage: [string, Script][] = stages.slice(0, -1).flatMap((at): [string, Script][] => [
    [`at ${at} without a word`, { cut: { at, said: 0 } }],
    [`in the middle of the reply to ${at}`, { cut: { at, said: 2 } }],
  ]);
  test.each(beforeTheMessage)("%s has surely sent nothing", async (_where, script) => {
    const outcome = await outcomeOf(script);
    expect(outcome).toBeInstanceOf(Error);
    expect(outcome).not.toBeInstanceOf(UncertainMailError);
    expect(outcome).not.toBeInstanceOf(RefusedMailError);
    expect(smtp.taken).toEqual([]);
  });

  test.each([1, 100, 100_000])("after %i bytes of a long message has surely sent nothing", async (cutAfterBytes) => {
    const outcome = await outcomeOf({ cutAfterBytes }, "x".repeat(8_000_000));
    expect(outcome).toBeInstanceOf(Error);
    expect(outcome).not.toBeInstanceOf(UncertainMailError);
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
    expect(smtp.taken).toEqual(["one@test.example"]);
  });
});

test("the end of a message goes out in time or never", async () => {
  const late = await outcomeOf({}, "<p>Hello</p>", performance.now() - 1);
  expect(late).toBeInstanceOf(Error);
  expect(late).not.toBeInstanceOf(UncertainMailError);
  expect(smtp.taken).toEqual([]);
});
