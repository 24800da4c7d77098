import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

/** A finished file that waits to be stored. */
export interface SpooledFile {
  bytes: number;
  sha256: string;
  /** All of it, from the beginning; may be called again as long as `use` has not returned. */
  read: () => Readable;
}

const readBytes = 64 * 1024;

/**
 * Has a file written and hands it to `use` with what its maker returned; afterwards it is gone whatever happens: S3 wants
 * to know the length of an upload, and its key the hash, and a price list is too long to be kept in memory for that.
 */
export async function spool<Made>(
  make: (write: (bytes: Uint8Array) => Promise<void>) => Promise<Made>,
  use: (file: SpooledFile, made: Made) => Promise<void>,
): Promise<void> {
  const path = join(tmpdir(), `document-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    // Without a name it ends with this process, also when that is killed.
    await rm(path);
    const hash = createHash("sha256");
    let bytes = 0;
    const made = await make(async (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    });
    const read = () => Readable.from(piecesOf(file), { objectMode: false });
    await use({ bytes, sha256: hash.digest("hex"), read }, made);
  } finally {
    await file.close();
  }
}

async function* piecesOf(file: FileHandle) {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(readBytes), position });
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
