/** Words that people use in secrets, also with digits for letters. */
const words =
  /passwor[dt]|passwd|parol|secret|admin|letmein|welcome|qwerty|changeme|default|example|local|only|token|login|webhook|postgres|redis|minio|magazin|zapchasti|dragon|monkey|hello|world|test|demo|shop|store|user|ford|prod|live|stage/y;
const years = /^(19|20)\d\d/;
const lookAlikes: Record<string, string> = { 0: "o", 1: "l", 3: "e", 4: "a", 5: "s", 7: "t", "@": "a", $: "s" };
const keyboard = "qwertyuiopasdfghjklzxcvbnm";
/** Two letters that are common in languages: a vowel beside a consonant, or a common pair of consonants. */
const spoken =
  /^([aeiouy][b-df-hj-np-tv-xz]|[b-df-hj-np-tv-xz][aeiouy]|[st]h|ch|ck|ll|ss|tt|ee|oo|ea|ou|io|nd|ng|nt|ns|st|tr|pr|gr|br|cr|dr|fr|pl|cl|sl|bl|fl|rs|rt|rd|rn|ct|ld|lt|ts|mp|sp|sk|sc|sw|tw)$/;

/**
 * Estimated bits of randomness in a secret: the capacity of its kinds of letters, less what is easy to guess, which is
 * repetition, rows such as 123 and qwerty, common words, and pronounceable letters. A text in base64 or hexadecimal
 * counts no more than its content. In trials, 128 random bits in any common notation give more than 100, four words of
 * a dictionary less than 75, `password123` less than 20.
 */
export function bitsOf(whole: string): number {
  // A longer secret has enough by then, or never.
  const secret = whole.slice(0, 512);
  const hidden = ["base64", "hex"].flatMap((encoding) => hiddenText(secret, encoding as "base64" | "hex"));
  return Math.min(...[secret, ...hidden].map(bitsOfText));
}

function bitsOfText(text: string) {
  const each = Math.log2(roomOf(text));
  const lower = text.toLowerCase();
  const plain = lower.replace(/[013457@$]/g, (sign) => lookAlikes[sign] ?? sign);
  let bits = 0;
  for (let at = 0; at < lower.length; ) {
    const { length, cost } = guess({ text, lower, plain }, at) ?? { length: 1, cost: each };
    bits += Math.min(cost, each * length);
    at += length;
  }
  return bits;
}

/** An easy guess for the next characters: its length and its cost. */
function guess({ text, lower, plain }: Record<"text" | "lower" | "plain", string>, at: number) {
  const repeated = repetition(lower, at);
  if (repeated > 2) return { length: repeated, cost: 1 + Math.log2(lower.length) };
  words.lastIndex = at;
  const [word] = words.exec(plain) ?? years.exec(lower.slice(at)) ?? [];
  if (word) return { length: word.length, cost: 6 };
  if (isRow(lower, at)) return { length: 1, cost: 1 };
  if (isSpoken(text, at)) return { length: 1, cost: 1 };
  return undefined;
}

/** At least three letters: random texts mix upper case, lower case and digits, and contain pairs by chance. */
function isSpoken(text: string, at: number) {
  if (at === 0 || !spoken.test(text.slice(at - 1, at + 1).toLowerCase())) return false;
  return [text.slice(Math.max(0, at - 2), at + 1), text.slice(at - 1, at + 2)].some((part) =>
    /^([a-z]{3}|[A-Z]{3}|[A-Z][a-z]{2})$/.test(part),
  );
}

/** How many characters from here on repeat earlier ones. */
function repetition(text: string, at: number) {
  let length = 0;
  while (at + length < text.length && text.slice(0, at + length).includes(text.slice(at, at + length + 1))) length++;
  return length;
}

/** True for the third and each further character of `aaa`, `123`, `cba` or `qwe`. */
function isRow(text: string, at: number) {
  const [first = "", second = "", third = ""] = text.slice(Math.max(0, at - 2), at + 1);
  const step = (place: (sign: string) => number) => {
    const [one, two, three] = [first, second, third].map(place) as [number, number, number];
    return three - two === two - one && Math.abs(three - two) <= 1;
  };
  if (third === "") return false;
  const isTyped = [first, second, third].every((sign) => keyboard.includes(sign));
  return step((sign) => sign.charCodeAt(0)) || (isTyped && step((sign) => keyboard.indexOf(sign)));
}

/** The size of the alphabet of a text, by its kinds of characters. */
function roomOf(text: string) {
  if (/^[0-9a-f]+$/.test(text) || /^[0-9A-F]+$/.test(text)) return /[a-f]/i.test(text) ? 16 : 10;
  const kinds: [RegExp, number][] = [
    [/[0-9]/, 10],
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[ .,:_-]/, 4],
    [/[+/=]/, 2],
    [/[^\w .,:+/=-]/, 30],
  ];
  return Math.max(
    2,
    kinds.reduce((sum, [kind, size]) => sum + (kind.test(text) ? size : 0), 0),
  );
}

/** The content of a text in this notation, if it is readable. */
function hiddenText(text: string, encoding: "base64" | "hex"): string[] {
  const notation = encoding === "hex" ? /^([0-9a-f]{2})+$/i : /^[\w+/-]{4,}={0,2}$/;
  if (!notation.test(text)) return [];
  const said = Buffer.from(text, encoding).toString("latin1");
  return /^[\x20-\x7e]+$/.test(said) ? [said] : [];
}

/** True for a secret from this repository, plain or in base64: `local-only` and texts that begin with it. */
export function isPublished(secret: string): boolean {
  return [secret, ...hiddenText(secret, "base64")].some((text) => text.includes("local-only"));
}
