import { createHash, randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A finished file that waits to be stored. */
export interface SpooledFile {
  path: string;
  bytes: number;
  sha256: string;
}

/**
 * Has a file written, hands it to `use` with what its maker returned and removes it whatever happens: S3 wants to know
 * the length of an upload, and its key the hash, and a price list is too long to be kept in memory for that.
 */
export async function spool<Made>(
  make: (write: (bytes: Uint8Array) => Promise<void>) => Promise<Made>,
  use: (file: SpooledFile, made: Made) => Promise<void>,
): Promise<void> {
  const path = join(tmpdir(), `document-${randomUUID()}`);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const file = await open(path, "wx", 0o600);
    let made: Made;
    try {
      made = await make(async (chunk) => {
        hash.update(chunk);
        bytes += chunk.length;
        await file.writeFile(chunk);
      });
    } finally {
      await file.close();
    }
    await use({ path, bytes, sha256: hash.digest("hex") }, made);
  } finally {
    await rm(path, { force: true });
  }
}
