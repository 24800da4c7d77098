import { describe, expect, test } from "vitest";
import { z } from "zod";
import { describeError, errorLine } from "../../src/platform/describe-error.ts";
import { BadRecipientError, RefusedMailError } from "../../src/platform/mailer.ts";
import { useDatabase } from "../support/database.ts";

const id = "01a21224-39ed-744c-b409-2066d468c259";
const told = (message: string) => describeError(new Error(message)).message;

describe("what is told of an error", () => {
  test.each([
    ["'nina@test.example' is not the plain address of one mailbox", "<value> is not the plain address of one mailbox"],
    ["refused for good: '550 5.1.1 <nina@test.example> 'Nina' is unknown'", "refused for good: <value>"],
    ['invalid input syntax for type uuid: "Nina"', "invalid input syntax for type uuid: <value>"],
    ["«Нина» and “Nina” were there", "<value> were there"],
    ["getaddrinfo ENOTFOUND nina@test.example", "getaddrinfo ENOTFOUND n…@t….example"],
    ["call +7 (978) 123-45-67", "call +7…67"],
    ["connect to postgres://tcf:s3cret@db.test/tcf failed", "connect to postgres://***@db.test/tcf failed"],
  ])("leaves values out of '%s'", (message, shown) => expect(told(message)).toBe(shown));

  test.each([
    `Event '${id}' is too old to be delivered`,
    `Look for the Message-ID '${id}@shop.example' at the mail server`,
    "The endpoint's address is refused: '169.254.169.254' is not a public address",
    "A change by '-12' makes it too large",
    "Cannot read properties of undefined (reading 'rows')",
    "It took longer than 0.1 s",
    "a customer's clock is the shop's",
  ])("leaves '%s' as it is", (message) => expect(told(message)).toBe(message));

  test("names the places of wrong values, and not the values", () => {
    const { error } = z.object({ a: z.object({ b: z.enum(["x"]) }) }).safeParse({ a: { b: "Nina" } });
    expect(describeError(error).message).toBe("Values are wrong: a.b (invalid_value)");
  });

  test("is found in time that grows with the message", () => {
    const cost = (size: number) => {
      const messages = ["'a ".repeat(size), "a@".repeat(size), "'".repeat(size)].map((text) => new Error(text));
      const before = process.cpuUsage();
      for (const error of messages) describeError(error);
      return process.cpuUsage(before).user / 1_000;
    };
    cost(1_000);
    // A thousand times as much where the search is linear, a million times where it is quadratic.
    expect(cost(1_000_000)).toBeLessThan(5_000);
  });
});

describe("an error in the log", () => {
  const db = useDatabase();

  test("of a statement has its text and cause, and none of its values", async () => {
    const insert = () =>
      db.query("INSERT INTO users (id, email, first_name, last_name) VALUES (gen_random_uuid(), $1, '', '')", [
        "nina@test.example",
      ]);
    await insert();
    const shown = errorLine(await insert().catch((reason: Error) => reason));
    expect(shown).toMatchObject({
      code: "23505",
      constraint: "users_email_key",
      query: expect.stringContaining("INSERT"),
      stack: expect.stringContaining("describe-error.test.ts"),
    });
    expect(JSON.stringify(shown)).not.toContain("nina");
  });

  test("of a mail has the server's code, and neither its words nor the recipient", () => {
    const cause = Object.assign(new Error("550 5.1.1 nina@test.example"), {
      code: "EENVELOPE",
      responseCode: 550,
      response: "550 5.1.1 nina@test.example",
      rejected: ["nina@test.example"],
    });
    const reply = "550 5.1.1 nina@test.example has a box that is full, says 'Nina'";
    const refused = new RefusedMailError("The mail server refused the mail for good", { code: 550, reply }, cause);
    const shown = errorLine(refused);
    expect(shown).toMatchObject({ type: "RefusedMailError", code: 550, cause: { code: "EENVELOPE", reply: 550 } });
    expect(JSON.stringify([shown, errorLine(new BadRecipientError("'nina@a.b'"))])).not.toMatch(/nina/i);
  });

  test("has the frames of its stack, and no line of its message", () => {
    const shown = errorLine(new Error("one\nNina lives at\n    Long Lane 5"));
    expect(shown.stack).toMatch(/^ {4}at .*describe-error\.test/);
    expect(shown.stack).not.toMatch(/Nina|Lane/);
  });
});
