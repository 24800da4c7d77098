import { PermanentError } from "../../../engine/worker.ts";

const line = /[^\P{Cc}\t\n]|[\ufffe\uffff]/gu;
/** Most texts have nothing of all that is looked after below, and one look says so. */
const suspicious = /[^ -~А-яЁё№«»—–\u00a0]/;
const markup = /[&<>"']/;

/** Text without what neither XML nor people can read: control characters but tab and line feed, half surrogate pairs. */
export function readable(text: string): string {
  if (!suspicious.test(text)) return text;
  return text.replaceAll("\r\n", "\n").replace(line, "").toWellFormed();
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
