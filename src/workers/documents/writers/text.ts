import { PermanentError } from "../../../engine/worker.ts";

const unreadable = /[^\P{Cc}\t\n]|[\ufffe\uffff]/gu;
/** Most texts have nothing of all that is looked after below, and one look says so. */
const suspicious = /[^ -~А-яЁё№«»—–\u00a0]/;
const markup = /[&<>"']/;
const lineEnds = /\r\n|[\u2028\u2029]/g;
/** They would turn what follows in the same line: a recipient's name the sum after it. */
const turns = /[\u202a-\u202e\u2066-\u2069]/g;
/** No script sets more marks on a letter; a pile of them would cover the lines above. */
const piles = /(\p{Mn}{4})[\p{Mn}\p{Me}]+/gu;
/** The longest that means anything is the flag of a part of a country. */
const invisibles = /([\p{M}\p{Cf}]{8})[\p{M}\p{Cf}]+/gu;

/**
 * Text without what neither XML nor people can read: control characters but tab and line feed, half surrogate pairs, marks
 * that turn the direction of a line, and piles of marks on one letter.
 */
export function readable(text: string): string {
  if (!suspicious.test(text)) return text;
  const lines = text.replace(lineEnds, "\n").replace(unreadable, "").replace(turns, "");
  return lines.replace(piles, "$1").replace(invisibles, "$1").toWellFormed();
}

/** Readable text for an XML element or attribute. */
export function xmlText(text: string): string {
  const clean = readable(text);
  return markup.test(clean) ? clean.replace(/[&<>"']/g, (character) => entities[character] ?? "") : clean;
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/**
 * What a cell may hold, as it is; throws `PermanentError` at anything else: an object might be
 * taken for a live cell.
 */
export function plain(value: unknown): string | number {
  if (typeof value === "string" || typeof value === "number") return value;
  throw new PermanentError(`A cell holds a text or a number, not ${JSON.stringify(value) ?? String(value)}`);
}

/** Pieces of text as a file in UTF-8. */
export async function* writeText(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}
