/** Anywhere in a name, however it is spelled. */
const telling =
  /passw|passphrase|secret|token|credential|authorization|cookie|apikey|accesskey|privatekey|cardno|cardnum|creditcard|cvv|cvc|accountnumber/;
/** Only as a whole word: they are parts of harmless ones. */
const words = ["card", "cards", "pan", "pin", "otp", "csc", "iban"];

/** A copy of the value without properties that are named like a secret or data of a card, at any depth. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !isSecret(name));
  return Object.fromEntries(kept.map(([name, part]) => [name, withoutSecrets(part)]));
}

function isSecret(name: string) {
  const parts = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return telling.test(parts.join("")) || parts.some((part) => words.includes(part));
}
