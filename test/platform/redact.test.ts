import { expect, test } from "vitest";
import { redact, redactAll } from "../../src/platform/redact.ts";

test.each([
  ["550 no mailbox ivan.petrov@mail.example.ru here", "550 no mailbox i…@m….ru here"],
  ["call +7 (978) 123-45-67 now", "call +7…67 now"],
  ["GET https://s3.test/a?X-Amz-Signature=0123456789abcdef&x=1", "GET https://s3.test/a?X-Amz-Signature=…&x=1"],
  ["Authorization: Bearer eyJhbGciOi.J9.x", "Authorization: Bearer …"],
])("hides what is a person's or a secret in '%s'", (text, hidden) => expect(redact(text)).toBe(hidden));

test.each(["01a21224-39ed-744c-b409-2066d468c259", "2026-11-25T10:00:00.123Z", "Offer 12 is gone"])(
  "leaves '%s' as it is",
  (text) => expect(redact(text)).toBe(text),
);

test("looks into lists and objects, and leaves other values alone", () => {
  expect(redactAll({ to: ["a.b@c.de"], n: 89781234567, none: null })).toEqual({
    to: ["a…@c….de"],
    n: 89781234567,
    none: null,
  });
});
