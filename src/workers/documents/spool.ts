import { createHash, randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content } from "./render.ts";

/** A finished file that waits to be stored. */
export interface SpooledFile {
  path: string;
  bytes: number;
  sha256: string;
}

/**
 * Writes content to a temporary file, hands that to `use` and removes it whatever happens: S3 wants to know the length
 * of an upload, and its key the hash, and a price list is too long to be kept in memory for that.
 */
export async function spool<T>(content: Content, signal: AbortSignal, use: (file: SpooledFile) => Promise<T>) {
  const path = join(tmpdir(), `document-${randomUUID()}`);
  try {
    return await use({ path, ...(await write(content, path, signal)) });
  } finally {
    await rm(path, { force: true });
  }
}

async function write(content: Content, path: string, signal: AbortSignal) {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of content) {
      signal.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}
