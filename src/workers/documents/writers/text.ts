/** Text without what neither XML nor people can read: control characters but tab and line feed, half surrogate pairs. */
export function readable(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(/[^\P{Cc}\t\n]|[\ufffe\uffff]/gu, "")
    .toWellFormed();
}

/** Readable text for an XML element or attribute. */
export function xmlText(text: string): string {
  return readable(text).replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
