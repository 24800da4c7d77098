import { createHash, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bitsOf, isPublished } from "../../src/config/strength.ts";

/** The same bytes in every run, without order. */
const chance = (n: number, length: number) => createHash("sha512").update(String(n)).digest().subarray(0, length);
const many = Array.from({ length: 2_000 }, (_, n) => n);
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("the bits of a secret", () => {
  test.each([
    ["hexadecimal", (n: number) => chance(n, 16).toString("hex")],
    ["HEXADECIMAL", (n: number) => chance(n, 16).toString("hex").toUpperCase()],
    ["base64", (n: number) => chance(n, 16).toString("base64")],
    ["base64url", (n: number) => chance(n, 16).toString("base64url")],
    ["a UUID", () => randomUUID()],
  ] as const)("are enough for a key where 128 of them are chance, as %s", (_notation, make) => {
    expect(many.map(make).filter((secret) => bitsOf(secret) < 64)).toEqual([]);
  });

  test.each([
    ...["password123", "Password123!", "P@ssw0rd!2024", "hunter2", "minioadmin", "shop", "x", ""],
    ...[
      "aaaaaaaaaaaaaaaaaaaaaaaa",
      "abcabcabcabcabcabcabcabc",
      "1234567890123456",
      "qwertyuiopasdfgh",
      "zxcvbnm98765432",
    ],
    ...[
      "changemechangemechangeme",
      "2026-11-30",
      "deadbeefdeadbeefdeadbeefdeadbeef",
      "0123456789abcdef0123456789abcdef",
    ],
    ...[
      base64("password1password1password1"),
      Buffer.from("letmein-letmein-letmein").toString("hex"),
      base64("\0".repeat(24)),
    ],
  ])("are few even for a login: %j", (secret) => {
    expect(bitsOf(secret)).toBeLessThan(36);
  });

  test.each([
    ...[
      "correct-horse-battery-staple",
      "my-super-secret-api-key",
      "parol-magazina-forda-2026",
      "test-webhook-secret-0123456789",
    ],
    ...["the secret of our webhooks", base64("local-only-webhook-secret")],
  ])("are too few for a key: %j", (secret) => {
    expect(bitsOf(secret)).toBeLessThan(64);
  });

  test("are more the longer chance goes on", () => {
    const bits = [4, 8, 16, 32].map((length) => bitsOf(chance(1, length).toString("hex")));
    expect(bits.toSorted((a, b) => a - b)).toEqual(bits);
    expect(bits[3]).toBeGreaterThan(200);
  });
});

test("a published secret is known in the clear and in base64", () => {
  for (const secret of ["local-only", "local-only-api-key", base64("local-only-local-only-local-only")])
    expect(isPublished(secret), secret).toBe(true);
  for (const secret of ["", "local", chance(1, 24).toString("base64")]) expect(isPublished(secret), secret).toBe(false);
});
