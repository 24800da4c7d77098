import { expect, test } from "vitest";
import { shownPhone } from "../../src/services/shown-phone.ts";

test("a phone number with an extension is shown as people write it, and others as they are", () => {
  expect(shownPhone("+79780424666;ext=12", "ru")).toBe("+79780424666 доб. 12");
  expect(shownPhone("+79780424666;ext=12", "en")).toBe("+79780424666 ext. 12");
  for (const plain of ["+79780424666", "—", ""]) expect(shownPhone(plain, "ru")).toBe(plain);
});
