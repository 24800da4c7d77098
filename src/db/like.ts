/** Pattern of LIKE that finds `term` anywhere in a text; `%`, `_` and `\` are literal. */
export function containing(term: string): string {
  return `%${term.replace(/[\\%_]/g, "\\$&")}%`;
}
