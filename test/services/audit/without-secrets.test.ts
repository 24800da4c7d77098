import { describe, expect, test } from "vitest";
import { withoutSecrets } from "../../../src/services/audit/audit.ts";

describe("without secrets", () => {
  test.each([
    "card_number",
    "cardNumber",
    "CARDNUMBER",
    "card",
    "CVV",
    "card-cvc",
    "pan",
    "card_pin",
    "creditCardExpiry",
  ])("data of a card is gone: %s", (name) =>
    expect(withoutSecrets({ [name]: "4111111111111111", kept: 1 })).toEqual({ kept: 1 }),
  );

  test.each(["password", "newPassword", "apiKey", "api-key", "client_secret", "access_token", "Authorization", "otp"])(
    "a secret is gone: %s",
    (name) => expect(withoutSecrets({ [name]: "x", kept: 1 })).toEqual({ kept: 1 }),
  );

  test("at any depth, and in lists", () => {
    const value = { method: "CARD", source: { card: { number: "4111" }, name: "a" }, list: [{ cvv: 1, n: 2 }] };
    expect(withoutSecrets(value)).toEqual({ method: "CARD", source: { name: "a" }, list: [{ n: 2 }] });
  });

  test("what is harmless stays as it is", () => {
    const value = { company: "x", discard: true, postcard: "y", cross_number: "1", keys: ["card"], note: null, n: 0 };
    expect(withoutSecrets(value)).toEqual(value);
    expect(withoutSecrets("card_number")).toBe("card_number");
    expect(withoutSecrets(null)).toBeNull();
  });
});
