import { type FileHandle, open, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { isMissingFile } from "./errors.ts";

/** Everything about an object but its bytes. */
export interface ObjectHead {
  /** Without the quotes that it has in headers and XML. */
  readonly etag: string;
  /** ISO 8601. */
  readonly modifiedAt: string;
  /** Content-Type, Cache-Control and the like, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** User metadata by header name, x-amz-meta-*. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In base64 by algorithm. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** An object open for reading; it stays whole even if the object is overwritten or deleted meanwhile. */
export interface OpenObject {
  readonly head: ObjectHead;
  readonly size: number;
  /** Streams the bytes from start to end, both included. */
  read(start?: number, end?: number): AsyncIterable<Buffer>;
  /** Must be called once, whatever happens. */
  close(): Promise<void>;
}

const headSizeBytes = 4;

/**
 * Writes a new file that holds a body and, behind it, the head that describes it, which is asked for when the last
 * chunk has been written: one file, so that a single rename publishes both. On any error no file is left.
 */
export async function writeObjectFile(
  path: string,
  chunks: AsyncIterable<Buffer>,
  describe: () => ObjectHead,
): Promise<ObjectHead> {
  let head: ObjectHead | undefined;
  async function* content(): AsyncGenerator<Buffer, void> {
    yield* chunks;
    head = describe();
    yield encodeHead(head);
  }
  // Opened before anything can fail: a stream that opens its file itself may do so after it has been deleted.
  const file = await open(path, "wx");
  try {
    await pipeline(content, file.createWriteStream());
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  if (head === undefined) {
    throw new Error(`"${path}" was written without its head.`);
  }
  return head;
}

/** Opens a file that writeObjectFile wrote; returns null when there is none. */
export async function openObjectFile(path: string): Promise<OpenObject | null> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (isMissingFile(error)) {
      return null;
    }
    throw error;
  }
  try {
    const { head, size } = await readHead(file);
    return {
      head,
      size,
      read: (start = 0, end = size - 1) => readRange(file, start, end),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* readRange(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer, void> {
  if (end >= start) {
    yield* file.createReadStream({ start, end, autoClose: false });
  }
}

function encodeHead(head: ObjectHead): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const size = Buffer.alloc(headSizeBytes);
  size.writeUInt32BE(json.length);
  return Buffer.concat([json, size]);
}

async function readHead(file: FileHandle): Promise<{ head: ObjectHead; size: number }> {
  const { size: fileSize } = await file.stat();
  const headEnd = fileSize - headSizeBytes;
  const headSize = (await readBytes(file, headEnd, headSizeBytes)).readUInt32BE();
  const json = await readBytes(file, headEnd - headSize, headSize);
  return { head: JSON.parse(json.toString()), size: headEnd - headSize };
}

async function readBytes(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const { buffer } = await file.read(Buffer.alloc(size), 0, size, position);
  return buffer;
}
