/** A Content-Disposition with a file's name, and an ASCII one for programs that accept no other (RFC 6266). */
export function attachment(name: string, ascii: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `attachment; filename="${ascii.replace(/[^\w. -]/g, "_")}"; filename*=UTF-8''${encoded}`;
}
