import { describe, expect, test } from "vitest";
import { holdsWebAddress, withoutWebAddresses } from "../../../src/services/mail/web-addresses.ts";

describe("a web address", () => {
  test.each([
    "http://evil.example/x",
    "Вы выиграли! https://evil.example",
    "HTTP:\\\\evil.example",
    "http:/\\evil.example",
    "hxxp://evil.example",
    "hxxps:evil.example",
    "http:evil.example",
    "ftp://evil.example",
    "evil : // example",
    "www.evil.example",
    "WWW.evil.example",
    "см.www.evil.example",
    "www .evil.example",
    "ｗｗｗ．evil.example",
    "ｈｔｔｐ：／／evil.example",
    "www。evil.example",
    "w\u00adw\u00adw.evil.example",
    "w\u200bww\u200d.evil.example",
    "ht\u2060tp:\u200b/\u200b/evil.example",
    "http:\ufe0f//evil.example",
    "\u202ehttp://evil.example",
    "http∶∕∕evil.example",
    "http:⁄⁄evil.example",
    "https:⧸⧸evil.example",
    "𝐡𝐭𝐭𝐩://evil.example",
    "𝚠𝚠𝚠.evil.example",
    "ԝԝԝ.evil.example",
    "w̲w̲w̲.evil.example",
  ])("is found in %j, and no word of it stays", (text) => {
    expect(holdsWebAddress(text)).toBe(true);
    expect(holdsWebAddress(withoutWebAddresses(text))).toBe(false);
    expect(withoutWebAddresses(text)).not.toContain("evil");
  });

  test.each([
    "Анна",
    "Анна-Мария фон дер Лайен",
    "O'Brien",
    "Ёжик Йотов",
    "St. John",
    "И.П. Иванов",
    "ООО «А/Б: запчасти»",
    "AC/DC",
    "Иванов // Петров",
    "Склад: Иванов",
    "Wwwilliam",
    "ООО Ромашка.рф",
    "Ford 1:10",
    "Müller",
    "Nguyễn Thị",
    "გიორგი",
    "陈伟",
    "",
  ])("is not found in %j", (text) => {
    expect(holdsWebAddress(text)).toBe(false);
    expect(withoutWebAddresses(text)).toBe(text);
  });

  test("is left out of a text, and the rest stays", () => {
    expect(withoutWebAddresses("Анна http://evil.example/x?y Петрова")).toBe("Анна Петрова");
    expect(withoutWebAddresses("a : // b")).toBe("");
  });
});
