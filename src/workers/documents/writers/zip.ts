import { finished } from "node:stream/promises";
import { crc32, createDeflateRaw, deflateRawSync } from "node:zlib";
import { Utf8 } from "./utf8.ts";

/** One file of a zip: all of it at once, or as it is made. */
export interface Entry {
  name: string;
  content: string | Uint8Array | Making;
}

/** Writes a file to `to` and pauses now and then, at the latest when it is full: what is there may then be taken. */
export type Making = (to: Utf8) => AsyncIterable<void>;

interface Tally {
  crc: number;
  bytes: number;
  packed: number;
}

/** A quarter of the time of the usual level 6, for files that are a quarter longer. */
const fast = { level: 1, chunkSize: 64 * 1024 };
/** The first day that a zip can tell, 1 January 1980: the same entries give the same bytes. */
const firstDay = 0x21;
const largest = 0xffff_ffff;
const signatures = { file: 0x0403_4b50, sizes: 0x0807_4b50, directory: 0x0201_4b50, end: 0x0605_4b50 };
const version = 20;
const method = 8;
/** Names are UTF-8. */
const plainFlags = 1 << 11;
/** Sizes are said behind the content. */
const streamFlags = plainFlags | (1 << 3);

/** A zip of these entries; what is in memory does not grow with them. Throws `RangeError` past 4 GB. */
export async function* zip(entries: Iterable<Entry> | AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for await (const { name, content } of entries) {
    const start = offset;
    const tally: Tally = { crc: 0, bytes: 0, packed: 0 };
    const isWhole = typeof content === "string" || content instanceof Uint8Array;
    const flags = isWhole ? plainFlags : streamFlags;
    for await (const part of isWhole ? whole(name, content, tally) : streamed(name, content, tally)) {
      offset += part.length;
      yield part;
    }
    if (offset > largest || tally.bytes > largest) throw new RangeError(`'${name}' makes the zip larger than 4 GB`);
    directory.push(fields([4, signatures.directory], [2, version], ...about(name, flags, tally), ...rest(start)));
    directory.push(Buffer.from(name));
  }
  const list = Buffer.concat(directory);
  yield list;
  const count = directory.length / 2;
  yield fields([4, signatures.end], [4, 0], [2, count], [2, count], [4, list.length], [4, offset], [2, 0]);
}

function whole(name: string, content: string | Uint8Array, tally: Tally) {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const packed = deflateRawSync(bytes);
  tally.crc = crc32(bytes);
  tally.bytes = bytes.length;
  tally.packed = packed.length;
  return [localHeader(name, plainFlags, tally), packed];
}

async function* streamed(name: string, make: Making, tally: Tally) {
  yield localHeader(name, streamFlags, tally);
  const packer = new Packer(tally);
  try {
    const to = new Utf8();
    // One piece is compressed while the next one is made.
    let underWay: Promise<void> | undefined;
    for await (const _ of make(to)) {
      if (!to.isFull) continue;
      await underWay;
      yield* packer.take();
      underWay = packer.add(to.take());
      underWay.catch(() => undefined);
    }
    await underWay;
    await packer.add(to.take());
    await packer.end();
    yield* packer.take();
  } finally {
    packer.close();
  }
  yield fields([4, signatures.sizes], ...sizes(tally));
}

/** Compresses in a thread of its own. */
class Packer {
  private readonly tally: Tally;
  private readonly stream = createDeflateRaw(fast);
  private packed: Buffer[] = [];

  constructor(tally: Tally) {
    this.tally = tally;
    this.stream.on("data", (packed: Buffer) => {
      tally.packed += packed.length;
      this.packed.push(packed);
    });
    // `add` and `end` throw it.
    this.stream.on("error", () => undefined);
  }

  /** Resolves when the bytes are compressed, and may be used for others. */
  add(bytes: Uint8Array): Promise<void> {
    this.tally.crc = crc32(bytes, this.tally.crc);
    this.tally.bytes += bytes.length;
    return new Promise((resolve, reject) => {
      this.stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  async end(): Promise<void> {
    this.stream.end();
    await finished(this.stream);
  }

  /** What is compressed and was not taken yet. */
  take(): Buffer[] {
    const taken = this.packed;
    this.packed = [];
    return taken;
  }

  close(): void {
    this.stream.destroy();
  }
}

function localHeader(name: string, flags: number, tally: Tally) {
  return Buffer.concat([fields([4, signatures.file], ...about(name, flags, tally)), Buffer.from(name)]);
}

type Numbers = [bytes: 2 | 4, value: number][];

/** What the header of a file and its line in the directory have in common. */
function about(name: string, flags: number, tally: Tally): Numbers {
  const times: Numbers = [
    [2, 0],
    [2, firstDay],
  ];
  return [[2, version], [2, flags], [2, method], ...times, ...sizes(tally), [2, Buffer.byteLength(name)], [2, 0]];
}

function sizes({ crc, bytes, packed }: Tally): Numbers {
  return [
    [4, crc],
    [4, packed],
    [4, bytes],
  ];
}

/** Neither comment nor attributes, then where the file begins. */
function rest(start: number): Numbers {
  return [
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, start],
  ];
}

function fields(...numbers: Numbers): Buffer {
  const buffer = Buffer.alloc(numbers.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of numbers) at = buffer.writeUIntLE(value, at, bytes);
  return buffer;
}
