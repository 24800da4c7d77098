import { crc32, deflateSync } from "node:zlib";
import { encode } from "uqr";

/** A QR code: rows of modules, dark ones true, without the margin that readers need around it. */
export type Matrix = readonly (readonly boolean[])[];

/** Modules of white around a code (ISO/IEC 18004). */
export const quietZone = 4;

/** The QR code of a text; as much of it may be dirty as payment codes usually bear (level M, 15 %). */
export const matrixOf = (text: string): Matrix => encode(text, { ecc: "M", border: 0 }).data;

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Pixels of a module: sharp on paper, and few bytes all the same. */
const scale = 6;

/** A code as a black and white PNG with its margin. */
export function matrixToPng(matrix: Matrix): Buffer {
  const side = (matrix.length + 2 * quietZone) * scale;
  const rowBytes = Math.ceil(side / 8);
  const light = Buffer.alloc(1 + rowBytes, 0xff).fill(0, 0, 1);
  const margin = Array.from({ length: quietZone * scale }, () => light);
  const rows = matrix.flatMap((modules) => {
    const row = Buffer.from(light);
    for (const [n, isDark] of modules.entries()) if (isDark) darken(row, (n + quietZone) * scale);
    return Array.from({ length: scale }, () => row);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // One bit for each pixel, grey.
  header[8] = 1;
  const pixels = deflateSync(Buffer.concat([...margin, ...rows, ...margin]));
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

function darken(row: Buffer, from: number) {
  for (let x = from; x < from + scale; x++) {
    const at = 1 + (x >> 3);
    row[at] = (row[at] ?? 0) & ~(0x80 >> (x & 7));
  }
}

function chunk(type: string, data: Buffer) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
