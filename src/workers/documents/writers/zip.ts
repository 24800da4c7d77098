import { promisify } from "node:util";
import { constants, crc32, deflateRaw, deflateRawSync } from "node:zlib";

/** One file of a zip: all of it at once, or in pieces that are made as they are asked for. */
export interface Entry {
  name: string;
  content: string | Uint8Array | AsyncIterable<Text>;
}

/** A text, or several that follow each other: handing each on by itself costs more than making it. */
export type Text = string | readonly string[];

interface Tally {
  crc: number;
  bytes: number;
  packed: number;
}

/** So many bytes are compressed at once, in a thread of their own: fewer compress worse, more hold more memory. */
const pieceBytes = 256 * 1024;
/** A quarter of the time of the usual level 6, for files that are a quarter longer. */
const fast = { level: 1 };
const packAside = promisify<Uint8Array, object, Buffer>(deflateRaw);
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

async function* streamed(name: string, content: AsyncIterable<Text>, tally: Tally) {
  yield localHeader(name, streamFlags, tally);
  // One piece is compressed while the next one is made.
  let underWay: Promise<Buffer> | undefined;
  const begin = (bytes: Uint8Array, finishFlush: number) => {
    tally.crc = crc32(bytes, tally.crc);
    tally.bytes += bytes.length;
    const packed = packAside(bytes, { ...fast, finishFlush });
    packed.catch(() => undefined);
    return packed;
  };
  let piece = new Piece();
  for await (const text of content) {
    for (const one of typeof text === "string" ? [text] : text) piece.add(one);
    if (piece.length < pieceBytes) continue;
    const next = begin(piece.bytes(), constants.Z_SYNC_FLUSH);
    piece = new Piece();
    if (underWay) yield counted(await underWay, tally);
    underWay = next;
  }
  const last = begin(piece.bytes(), constants.Z_FINISH);
  if (underWay) yield counted(await underWay, tally);
  yield counted(await last, tally);
  yield fields([4, signatures.sizes], ...sizes(tally));
}

/** Texts as UTF-8, one behind the other: written at once, they never make a long string that has to be copied again. */
class Piece {
  length = 0;
  private buffer = Buffer.allocUnsafe(pieceBytes + pieceBytes / 4);

  add(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    const most = this.length + 3 * text.length;
    if (most > this.buffer.length) this.buffer = Buffer.concat([this.bytes()], 2 * most);
    this.length += this.buffer.write(text, this.length);
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

function counted(packed: Buffer, tally: Tally) {
  tally.packed += packed.length;
  return packed;
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
