const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/**
 * Text without what XML 1.0 forbids: control characters but tab and line ends, half surrogate pairs, U+FFFE, U+FFFF.
 */
export function allowed(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r\u0080-\u009f]|[\ufffe\uffff]/gu, "").toWellFormed();
}

/** Text between tags or in a quoted attribute. */
export function escapeXml(text: string): string {
  return allowed(text).replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** Text as a CDATA section, without escapes; an end of the section within the text is split over two sections. */
export function cdata(text: string): string {
  return `<![CDATA[${allowed(text).replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
}
