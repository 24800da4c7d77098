import { describe, expect, test } from "vitest";
import { xmlText } from "../../../src/workers/documents/writers/text.ts";
import { Utf8 } from "../../../src/workers/documents/writers/utf8.ts";

const written = (write: (to: Utf8) => void) => {
  const to = new Utf8();
  write(to);
  return Buffer.from(to.take()).toString("utf8");
};
const units = Array.from({ length: 0x1_0000 }, (_, unit) => String.fromCharCode(unit));

describe("text as UTF-8", () => {
  test("is XML for every character that it takes, and leaves exactly the doubtful ones", () => {
    const to = new Utf8();
    const refused: string[] = [];
    const wrong = units.filter((character) => {
      if (to.plainXml(`а${character}b`)) return Buffer.from(to.take()).toString("utf8") !== xmlText(`а${character}b`);
      refused.push(character);
      return to.length > 0;
    });
    expect(wrong).toEqual([]);
    // Marks, which may be piled up; controls, format characters, half surrogate pairs, ends of lines, no characters.
    const doubtful = /[\p{M}\p{Cc}\p{Cf}\p{Cs}_\u2028\u2029\ufffe\uffff]/u;
    expect(refused).toEqual(units.filter((character) => doubtful.test(character)));
  });

  test.each([" x", "x ", " "])("leaves %j, whose spaces have to be kept", (text) => {
    expect(new Utf8().plainXml(text)).toBe(false);
  });

  test.each([0, -0, 1, 9, 10, 99, 100, 12_345, 999_999_999, 1_000_000_000, 2 ** 53, 1e21, -1, -717, 0.5, 1 / 3])(
    "has %d as JavaScript writes it",
    (number) => {
      expect(written((to) => to.number(number))).toBe(String(number));
    },
  );

  test("grows with what is longer than its room", () => {
    const long = "Ёлка & ".repeat(100_000).trim();
    const text = written((to) => {
      to.text(long);
      expect(to.plainXml(long)).toBe(true);
      to.copy(Buffer.from(long));
    });
    expect(text === long + xmlText(long) + long).toBe(true);
  });

  test("keeps what was taken while more is written", () => {
    const to = new Utf8();
    to.text("первое");
    const first = to.take();
    to.text("второе");
    expect(Buffer.from(first).toString()).toBe("первое");
    expect(Buffer.from(to.take()).toString()).toBe("второе");
  });
});
