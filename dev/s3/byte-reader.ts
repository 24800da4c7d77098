import { S3Error } from "./errors.ts";

/** Reads a stream of bytes piece by piece, holding no more of it than one network chunk and one delimiter. */
export interface ByteReader {
  /** Returns the bytes before the delimiter and skips it; throws MaxMessageLengthExceeded beyond the limit. */
  readUntil(delimiter: string, limit: number): Promise<string>;
  /** Yields exactly that many bytes. */
  streamExactly(size: number): AsyncGenerator<Buffer, void>;
  /** Yields the bytes before the delimiter and skips it. */
  streamUntil(delimiter: string): AsyncGenerator<Buffer, void>;
  /** Releases the source, so that its owner can read or discard the rest. */
  close(): Promise<void>;
}

/** Wraps a source of bytes; every method throws IncompleteBody when the source ends before it is done. */
export function createByteReader(source: AsyncIterable<Buffer>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);

  async function fetchMore(): Promise<void> {
    const next = await iterator.next();
    if (next.done === true) {
      throw new S3Error("IncompleteBody");
    }
    pending = pending.length === 0 ? next.value : Buffer.concat([pending, next.value]);
  }

  function take(size: number): Buffer {
    const taken = pending.subarray(0, size);
    pending = pending.subarray(size);
    return taken;
  }

  async function readUntil(delimiter: string, limit: number): Promise<string> {
    let end = pending.indexOf(delimiter);
    while (end < 0 && pending.length <= limit) {
      await fetchMore();
      end = pending.indexOf(delimiter);
    }
    if (end < 0 || end > limit) {
      throw new S3Error("MaxMessageLengthExceeded");
    }
    const text = take(end).toString();
    take(Buffer.byteLength(delimiter));
    return text;
  }

  async function* streamExactly(size: number): AsyncGenerator<Buffer, void> {
    let left = size;
    while (left > 0) {
      if (pending.length === 0) {
        await fetchMore();
      }
      const chunk = take(left);
      left -= chunk.length;
      yield chunk;
    }
  }

  async function* streamUntil(delimiter: string): AsyncGenerator<Buffer, void> {
    const delimiterSize = Buffer.byteLength(delimiter);
    let end = pending.indexOf(delimiter);
    while (end < 0) {
      // The tail may be the first half of the delimiter.
      const safe = pending.length - delimiterSize + 1;
      if (safe > 0) {
        yield take(safe);
      }
      await fetchMore();
      end = pending.indexOf(delimiter);
    }
    yield take(end);
    take(delimiterSize);
  }

  async function close(): Promise<void> {
    await iterator.return?.();
  }

  return { readUntil, streamExactly, streamUntil, close };
}
