import { ValidationError } from "../../errors.ts";

/** Lower-case letters that Unicode does not decompose into ASCII, and signs that read as letters. */
const ascii: Readonly<Record<string, string>> = {
  ...letters("а a б b в v г g д d е e ж zh з z и i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh"),
  ...letters("щ shch ы y ь ' э e ю iu я ia і i є ie ґ g ј j μ m"),
  ...letters("ı i ß ss ø o æ ae œ oe đ d ð d ħ h ł l þ th ŋ ng × x ° deg € EUR £ PS © (c) ® (r)"),
  ...letters("’ ' ‘ ' ‛ ' ′ ' ʹ ' ʼ ' ‚ ,"),
};

/** Entities of HTML 4 that end as a letter, a digit or the start of another entity. */
const entityCharacters: Readonly<Record<string, string>> = {
  ...letters("amp & sup1 ¹ sup2 ² sup3 ³ frac14 ¼ frac12 ½ frac34 ¾ ordf ª ordm º trade ™ image ℑ real ℜ"),
  ...accented("AaEeIiOoUu", "grave acute circ uml"),
  ...accented("AaNnOo", "tilde"),
  ...accented("Yy", "acute uml"),
  ...accented("Aa", "ring"),
  ...accented("Cc", "cedil"),
  ...accented("Ss", "caron"),
};

/** Entities of HTML 4 that end as a separator. */
const otherEntities = new Set(
  `quot lt gt nbsp iexcl cent pound curren yen brvbar sect uml copy laquo not shy reg macr deg plusmn acute micro para
  middot cedil raquo iquest times divide AElig aelig ETH eth Oslash oslash THORN thorn szlig OElig oelig fnof circ tilde
  Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma Tau Upsilon Phi Chi Psi
  Omega alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon
  phi chi psi omega thetasym upsih piv bull hellip prime Prime oline frasl weierp alefsym larr uarr rarr darr harr crarr
  lArr uArr rArr dArr hArr forall part exist empty nabla isin notin ni prod sum minus lowast radic prop infin ang and or
  cap cup int there4 sim cong asymp ne equiv le ge sub sup nsub sube supe oplus otimes perp sdot lceil rceil lfloor
  rfloor lang rang loz spades clubs hearts diams ensp emsp thinsp zwnj zwj lrm rlm ndash mdash lsquo rsquo sbquo ldquo
  rdquo bdquo dagger Dagger permil lsaquo rsaquo euro`.split(/\s+/),
);

/**
 * The part of a URL for `name`; empty when the name has no letter or digit. A stored slug stays as it is: it may be
 * older than this rule.
 */
export function slugify(name: string): string {
  const text = decodeEntities(toAscii(name.replace(/'+/g, "-")));
  return text
    .replace(/\P{ASCII}/gu, (character) => character.normalize("NFKD"))
    .toLowerCase()
    .replaceAll("'", "")
    .replace(/(?<=\d),(?=\d)/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** Letters and digits that `slugify` drops. Greek ones are signs in the names of parts (Ω, μ) and may be dropped. */
const lost = /(?=[\p{L}\p{N}])[^\p{sc=Latin}\p{sc=Cyrillic}\p{sc=Greek}\p{sc=Common}\p{sc=Inherited}]/u;

/**
 * As `slugify`; a name in other letters than Latin and Cyrillic also gets a part of `id`: two such names would
 * otherwise have one slug. Throws a `ValidationError` about the field `name` when it has no letter or digit at all.
 */
export function slugOf(name: string, id: string): string {
  const slug = slugify(name);
  if (slug && !lost.test(name)) return slug;
  if (slug) return `${slug}-${id}`;
  if (/[\p{L}\p{N}]/u.test(name)) return id;
  const msg = "Value error, the name needs at least one letter or digit";
  throw new ValidationError([{ type: "value_error", loc: ["body", "name"], msg, input: name }]);
}

/** Removes marks before the decomposition, which would sort a long run of them in quadratic time. */
function toAscii(text: string) {
  return text
    .replace(/\p{M}+/gu, "")
    .replace(/[^\p{ASCII}\p{sc=Latin}\p{sc=Cyrillic}\p{sc=Common}]+/gu, "")
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/\P{ASCII}/gu, (character) => ascii[character] ?? unlisted(character));
}

/** Signs of the basic plane separate words; emoji, invisible characters and letters of other scripts are dropped. */
function unlisted(character: string) {
  const lower = ascii[character.toLowerCase()];
  return lower ?? (character.length === 1 && /[\p{P}\p{S}\p{Z}]/u.test(character) ? " " : "");
}

/** Three passes, one after another, because the addresses of the shop were made that way (`&amp;#65;` is an `A`). */
function decodeEntities(text: string) {
  if (!text.includes("&")) return text;
  const named = text.replace(/&([A-Za-z][A-Za-z0-9]{1,7});/g, (entity, name: string) =>
    Object.hasOwn(entityCharacters, name) ? (entityCharacters[name] ?? "") : otherEntities.has(name) ? " " : entity,
  );
  const decimal = decodeReferences(named, /&#(\d+);/g, 10);
  return decodeReferences(decimal, /&#x([\da-fA-F]+);/g, 16);
}

/** All or nothing: one number that is not a character leaves every reference of its kind undecoded. */
function decodeReferences(text: string, reference: RegExp, base: number) {
  try {
    return text.replace(reference, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, base)));
  } catch {
    return text;
  }
}

function letters(pairs: string) {
  const words = pairs.split(" ");
  return Object.fromEntries(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? ""]] : [])));
}

function accented(bases: string, accents: string) {
  return Object.fromEntries(
    [...bases].flatMap((base) => accents.split(" ").map((accent) => [`${base}${accent}`, `${base} `])),
  );
}
