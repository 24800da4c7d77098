import { Readable } from "node:stream";
import { UnavailableError } from "../errors.ts";

/** One version of a file that is replaced from time to time. */
export interface FileVersion {
  sha256: string;
  bytes: number;
}

/** The newest version of one file in memory: one buffer for any number of readers, however slow. */
export interface KeptFile {
  /** True for what is small enough to be kept. */
  fits(version: FileVersion): boolean;
  /**
   * A version in pieces, each taken when the one before it is sent; `load` returns its bytes where they are not in
   * memory, and runs once for all concurrent readers. Fails with the error of `load`. Destroy it to stop reading.
   */
  open(version: FileVersion, load: () => Promise<Buffer>): Promise<Readable>;
}

interface Held extends FileVersion {
  content: Buffer;
  readers: Set<Readable>;
}

const mebi = 1024 * 1024;
/**
 * Bytes of one version, and of all in memory: old ones stay while they are read, and slow readers could collect them.
 */
const maxBytes = { one: 16 * mebi, all: 32 * mebi };
const pieceBytes = 64 * 1024;

/** Starts empty and never holds more than these bytes; at the limit, readers of the oldest version are cut off. */
export function createKeptFile(limits = maxBytes): KeptFile {
  /** The oldest first. */
  const versions = new Map<string, Held>();
  let loading: { sha256: string; done: Promise<void> } | undefined;

  const heldBytes = () => [...versions.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const drop = ({ sha256, readers }: Held) => {
    versions.delete(sha256);
    const reason = new UnavailableError("The file has been replaced several times since it was asked for; ask again");
    for (const reader of readers) reader.destroy(reason);
  };
  const dropUnread = () => {
    const newest = [...versions.keys()].at(-1);
    for (const version of versions.values()) if (version.sha256 !== newest && version.readers.size === 0) drop(version);
  };

  async function load({ sha256, bytes }: FileVersion, loader: () => Promise<Buffer>) {
    for (const oldest of versions.values()) if (heldBytes() + bytes > limits.all) drop(oldest);
    const content = await loader();
    if (content.length !== bytes) throw new Error(`A file has ${content.length} bytes instead of ${bytes}`);
    versions.set(sha256, { sha256, bytes, content, readers: new Set() });
    dropUnread();
  }

  async function find(version: FileVersion, loader: () => Promise<Buffer>): Promise<Held> {
    for (;;) {
      const held = versions.get(version.sha256);
      if (held) return held;
      if (loading && loading.sha256 !== version.sha256) {
        // Readers of another version hear of its failure by themselves.
        await loading.done.catch(() => undefined);
        continue;
      }
      if (!loading) {
        const done = load(version, loader).finally(() => {
          loading = undefined;
        });
        loading = { sha256: version.sha256, done };
      }
      await loading.done;
    }
  }

  return {
    fits: ({ bytes }) => bytes <= limits.one,
    async open(version, loader) {
      if (version.bytes > limits.one) throw new Error("The file is too large to be kept");
      const { content, readers } = await find(version, loader);
      let at = 0;
      const reader = new Readable({
        highWaterMark: pieceBytes,
        read() {
          const piece = content.subarray(at, at + pieceBytes);
          at += piece.length;
          this.push(piece.length > 0 ? piece : null);
        },
      });
      readers.add(reader);
      // An error without a listener would end the process.
      reader.on("error", () => undefined);
      reader.once("close", () => {
        readers.delete(reader);
        dropUnread();
      });
      return reader;
    },
  };
}
