import { join, sep } from "node:path";

const longestName = 200;

/**
 * Maps an object key to a relative file path that is pure lower-case ASCII and never leaves its folder, whatever the
 * key; readable for plain keys ("images%2fab.webp"), and the same on file systems that ignore case.
 */
export function keyToPath(key: string): string {
  const name = Buffer.from(key)
    .toString("latin1")
    .replace(/[^a-z0-9._-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  const pieces = name.match(new RegExp(`.{1,${longestName}}`, "g")) ?? [];
  // A leading dot is escaped, so that no piece can be "." or "..".
  const safe = pieces.map((piece) => piece.replace(/^\./, "%2e"));
  // A long key becomes folders; "+" keeps them apart from files, which never have one in their name.
  return join(...safe.slice(0, -1).map((piece) => `${piece}+`), safe.at(-1) ?? "");
}

/** Returns the key that keyToPath mapped to this path. */
export function pathToKey(path: string): string {
  return decodeURIComponent(path.replaceAll(`+${sep}`, ""));
}
