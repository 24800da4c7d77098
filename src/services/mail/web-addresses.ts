/** Characters that cannot be seen, and that take a word apart for a program that looks for it. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Mn}]/gu;
/** What looks like a colon, a slash or a dot and is no compatibility form of one. */
const colons = /[∶꞉ː˸ː׃：]/g;
const slashes = /[\\⁄∕⧵⧸∖╱╲／]/g;
const dots = /[。․‧∙⋅·•．]/g;

const webAddress = /:\s*\/\s*\/|\bh(?:tt|xx|\*\*)ps?\s*:|www\s*\./u;

/**
 * True when a text holds a web address, `://` or `www.`, in whatever disguise: other letters, invisible characters between,
 * backslashes, `hxxp`. A lone dot, colon or slash is none: `ООО «А/Б»`, `St. John`.
 */
export function holdsWebAddress(text: string): boolean {
  const plain = text.normalize("NFKD").replaceAll(invisible, "").toLowerCase();
  const read = plain.replaceAll(colons, ":").replaceAll(slashes, "/").replaceAll(dots, ".").replaceAll("ԝ", "w");
  return webAddress.test(read);
}

/** A text without the words that hold a web address; empty when it has one all the same. */
export function withoutWebAddresses(text: string): string {
  if (!holdsWebAddress(text)) return text;
  const words = text.split(/\s+/).filter((word) => !holdsWebAddress(word));
  const rest = words.join(" ").trim();
  return holdsWebAddress(rest) ? "" : rest;
}
