/** Invisible characters, which split a word for a program that searches for it. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Mn}]/gu;
/** Characters that look like a colon, a slash or a dot and are not a compatibility form of one. */
const colons = /[∶꞉ː˸ː׃：]/g;
const slashes = /[\\⁄∕⧵⧸∖╱╲／]/g;
const dots = /[。․‧∙⋅·•．]/g;

const webAddress = /:\s*\/\s*\/|\bh(?:tt|xx|\*\*)ps?\s*:|www\s*\./u;

/**
 * True when a text contains a web address, `://` or `www.`, in any disguise: other letters, invisible characters,
 * backslashes, `hxxp`. A single dot, colon or slash does not count: `ООО «А/Б»`, `St. John`.
 */
export function holdsWebAddress(text: string): boolean {
  const plain = text.normalize("NFKD").replaceAll(invisible, "").toLowerCase();
  const read = plain.replaceAll(colons, ":").replaceAll(slashes, "/").replaceAll(dots, ".").replaceAll("ԝ", "w");
  return webAddress.test(read);
}

/** Longer texts of strangers are cut in mails. */
const maxShown = 150;

/**
 * A text of a stranger for a mail, which may reach a third person: short, without words that contain a web address, and
 * without what mail clients make a link of (`evil.example`, `a@evil.example`).
 */
export function withoutLinks(text: string): string {
  const rest = withoutWebAddresses(text)
    .replaceAll(dots, ".")
    .replaceAll(/\.(?=\p{L})/gu, ". ");
  return rest.length > maxShown ? `${rest.slice(0, maxShown).trim()}…` : rest;
}

/** A text without the words that contain a web address; empty when it still has one. */
export function withoutWebAddresses(text: string): string {
  if (!holdsWebAddress(text)) return text;
  const words = text.split(/\s+/).filter((word) => !holdsWebAddress(word));
  const rest = words.join(" ").trim();
  return holdsWebAddress(rest) ? "" : rest;
}
