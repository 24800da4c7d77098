/** Pattern of LIKE that finds `term` anywhere in a text; `%`, `_` and `\` mean themselves. */
export function containing(term: string): string {
  return `%${term.replace(/[\\%_]/g, "\\$&")}%`;
}
