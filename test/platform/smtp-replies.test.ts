import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { judgeReply, mailFaults, type ReplyRule, replyRules, type SmtpStage } from "../../src/platform/smtp-replies.ts";
import { exampleReplies } from "../support/example-replies.ts";

const judged = (stage: SmtpStage, reply: string) => judgeReply(stage, reply)?.rule;

describe("the table of replies", () => {
  test("has an example for each row, and no row that another one hides", () => {
    const shown = new Set(exampleReplies.map(({ stage, reply }) => judged(stage, reply)));
    expect(replyRules.filter((rule) => !shown.has(rule)).map(({ means }) => means)).toEqual([]);
  });

  test("names a fault for each reply about us, and for no other", () => {
    for (const { about, fault, means } of replyRules) expect(fault !== undefined, means).toBe(about === "us");
  });

  test("has a row for every negative reply at every stage", () => {
    for (const { stage } of exampleReplies) {
      for (let code = 400; code < 600; code++) {
        expect(judged(stage, `${code} no`), `${code} at ${stage}`).toBeDefined();
        for (const detail of ["0.0", "1.1", "2.2", "3.4", "4.1", "5.3", "6.1", "7.1", "9.9", "999.999"])
          expect(judged(stage, `${code} ${String(code)[0]}.${detail} no`)).toBeDefined();
      }
    }
  });

  test.each(["", "250 fine", "354 go on", "220 ready", "45", "4500 no", "hello 550", "55o no", "\0"])(
    "takes %j for no negative reply",
    (reply) => expect(judgeReply("RCPT", reply)).toBeUndefined(),
  );

  test("reads the enhanced code at the beginning, or where qmail writes it, and nowhere else", () => {
    const enhancedOf = (reply: string) => judgeReply("RCPT", reply)?.enhanced;
    expect(enhancedOf("550 5.1.1 no")).toBe("5.1.1");
    expect(enhancedOf("550-5.1.1 no\n550 5.1.1 really")).toBe("5.1.1");
    expect(enhancedOf("553 sorry (#5.7.1)")).toBe("5.7.1");
    expect(enhancedOf("550 5.1.1.1 no")).toBeUndefined();
    expect(enhancedOf("550 we run 5.1.1 here")).toBeUndefined();
  });

  test("does not read the names in addresses", () => {
    expect(judged("RCPT", "550 <relay-access-denied-relay not@test.example> unknown")?.about).toBe("recipient");
  });

  test("is in the docs as it is in the code", () => {
    const doc = readFileSync("docs/operations/mail.md", "utf8");
    for (const line of [...faultRows(), ...replyRows()]) expect(doc).toContain(`\n${line}\n`);
    const rows = doc.slice(doc.indexOf("## When the server refuses us")).match(/^\| .*$/gm);
    expect(rows).toEqual([...faultRows(), ...replyRows()]);
  });
});

describe.each(exampleReplies)("'$reply' at $stage", ({ stage, reply, about, fault }) => {
  test(`is about ${fault ? `us (${fault})` : about}`, () => {
    const rule = judged(stage, reply);
    expect([rule?.about, rule?.fault]).toEqual([about, fault]);
  });
});

function faultRows() {
  const rows = Object.entries(mailFaults).map(([fault, advice]) => `| \`${fault}\` | ${advice} |`);
  return ["| fault | do |", "| --- | --- |", ...rows];
}

const listed = (list: readonly string[] | undefined) =>
  list?.map((one) => (one === "none" ? one : `\`${one}\``)).join(", ") ?? "any";

function replyRow({ at, codes, enhanced, says, about, fault, means }: ReplyRule) {
  const text = says ? `; says \`${says.source.replaceAll("|", "\\|")}\`` : "";
  const verdict = fault ? `us: \`${fault}\`` : about;
  return `| ${at?.join(", ") ?? "any"} | ${listed(codes)} | ${listed(enhanced)}${text} | ${verdict} | ${means} |`;
}

function replyRows() {
  return [
    "| stage | code | enhanced code | about | means |",
    "| --- | --- | --- | --- | --- |",
    ...replyRules.map(replyRow),
  ];
}
