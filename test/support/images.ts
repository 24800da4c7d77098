import { crc32, deflateRawSync, deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";

/** The number of bytes of one pixel as PNG and sharp count them. */
export type Colour = readonly number[];

interface Raw {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  data: Buffer;
}

/** The smallest photo that there is: one colour, as JPEG. */
export function flatJpeg(): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 8, channels: 3, background: "#888" } })
    .jpeg()
    .toBuffer();
}

/** A PNG of one red. */
export function redPng(width = 8, height = 8): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: "red" } })
    .png()
    .toBuffer();
}

/** Opens pixels that `paint` chose, one colour for each place, for saving in any format. */
export function painted(width: number, height: number, paint: (x: number, y: number) => Colour): Sharp {
  const { data, ...raw } = paintRaw(width, height, paint);
  return sharp(data, { raw });
}

function paintRaw(width: number, height: number, paint: (x: number, y: number) => Colour): Raw {
  const channels = paint(0, 0).length as Raw["channels"];
  const data = Buffer.alloc(width * height * channels);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) data.set(paint(x, y), at);
  }
  return { width, height, channels, data };
}

/** EXIF orientation → the place of the upright picture (`w` × `h`) that is stored at (x, y). */
const orientations: ((x: number, y: number, w: number, h: number) => readonly [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _w, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, w) => [w - 1 - y, x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, _w, h) => [y, h - 1 - x],
];

export interface PhonePhoto {
  /** As shown upright. */
  width?: number;
  height?: number;
  /** 1–8; the pixels are stored so that the photo is upright when shown with it. */
  orientation?: number;
  gps?: boolean;
  quality?: number;
}

/**
 * A JPEG as a phone makes it: light falling off, noise, EXIF with camera, orientation and (unless refused) the place
 * where it was taken, an sRGB profile. In its upper left corner, when shown upright, an eighth of its width is red.
 */
export function phonePhoto(photo: PhonePhoto = {}): Promise<Buffer> {
  const { width = 1600, height = 1200, orientation = 1, gps = true, quality = 90 } = photo;
  const place = orientations[orientation - 1];
  if (place === undefined) throw new Error(`No orientation ${orientation}`);
  const mark = width / 8;
  const noise = random(1);
  const [storedWidth, storedHeight] = orientation > 4 ? [height, width] : [width, height];
  const paint = (storedX: number, storedY: number): Colour => {
    const [x, y] = place(storedX, storedY, width, height);
    if (x < mark && y < mark) return [230, 20, 20];
    const light = 90 + (80 * x) / width + 30 * Math.sin(y / 40) + 16 * noise();
    return [light, light * 0.9, 60 + (120 * y) / height + 16 * noise()];
  };
  return painted(storedWidth, storedHeight, paint)
    .withIccProfile("srgb")
    .withExifMerge({
      IFD0: { Make: "Phone", Model: "Test", Orientation: String(orientation) },
      ...(gps && {
        IFD3: {
          GPSLatitudeRef: "N",
          GPSLatitude: "56/1 50/1 0/1",
          GPSLongitudeRef: "E",
          GPSLongitude: "60/1 36/1 0/1",
        },
      }),
    })
    .withMetadata({ orientation })
    .jpeg({ quality })
    .toBuffer();
}

/** The first `share` (0–1) of a file, as after an upload that broke off. */
export function truncated(file: Buffer, share: number): Buffer {
  return file.subarray(0, Math.floor(file.length * share));
}

/** A valid RGBA PNG of `side` × `side` transparent pixels that is a thousand times smaller than its pixels. */
export function pngBomb(side: number): Buffer {
  const row = Buffer.alloc(side * 4 + 1);
  // A flushed block stands for itself, so one row is compressed and written down as often as there are rows.
  const block = deflateRawSync(row, { level: 9, finishFlush: 3 });
  const checksum = Buffer.alloc(4);
  // Adler-32 of zeros: the first sum stays 1, the second counts the bytes.
  checksum.writeUInt32BE(((row.length * side) % 65_521) * 65_536 + 1);
  const blocks = Array.from({ length: side }, () => block);
  const zlib = Buffer.concat([Buffer.from([0x78, 0xda]), ...blocks, Buffer.from([3, 0]), checksum]);
  return png([
    ["IHDR", ihdr(side, side, 8, 6)],
    ["IDAT", zlib],
  ]);
}

/** Only the beginning of a PNG, which claims this size; `depth` bits a channel, RGBA. */
export function pngClaiming(width: number, height: number, depth: 8 | 16 = 8, interlaced = false): Buffer {
  return png([
    ["IHDR", ihdr(width, height, depth, 6, interlaced)],
    ["IDAT", deflateSync(Buffer.alloc(16))],
  ]);
}

/** A PNG of one colour (three bytes) that carries an ICC profile as it is, without converting anything. */
export function flatPng(width: number, height: number, colour: Colour, icc?: Buffer): Buffer {
  return png([
    ["IHDR", ihdr(width, height, 8, 2)],
    ...(icc ? [["iCCP", Buffer.concat([Buffer.from("icc\0\0"), deflateSync(icc)])] as const] : []),
    ["IDAT", deflateSync(rows(width, height, colour))],
  ]);
}

/** A PNG with a second frame, which programs that know nothing of animation do not see. */
export function animatedPng(width: number, height: number, first: Colour, second: Colour): Buffer {
  const frame = (sequence: number) => uint32s(sequence, width, height, 0, 0, 0x0001_0001, 0).subarray(0, 26);
  return png([
    ["IHDR", ihdr(width, height, 8, 2)],
    ["acTL", uint32s(2, 0)],
    ["fcTL", frame(0)],
    ["IDAT", deflateSync(rows(width, height, first))],
    ["fcTL", frame(1)],
    ["fdAT", Buffer.concat([uint32s(2), deflateSync(rows(width, height, second))])],
  ]);
}

/** A looping WebP with one frame of each colour. */
export function animatedWebp(width: number, height: number, colours: readonly Colour[]): Promise<Buffer> {
  const paint = (_x: number, y: number) => colours[Math.floor(y / height)] ?? [];
  const { data, channels } = paintRaw(width, height * colours.length, paint);
  return sharp(data, { raw: { width, height: height * colours.length, channels, pageHeight: height } })
    .webp({ loop: 0, delay: colours.map(() => 100) })
    .toBuffer();
}

/** A JPEG whose comment, and what follows its end, is a web page. */
export function polyglot(jpeg: Buffer, html: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(html) + 2);
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe]), length, Buffer.from(html)]);
  return Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2), Buffer.from(html)]);
}

/** An ICC profile of a colour space with these D50 colorants (XYZ of red, green, blue) and a gamma. */
export function matrixProfile(colorants: readonly (readonly number[])[], gamma: number): Buffer {
  const fixed = (values: readonly number[]) => uint32s(...values.map((value) => Math.round(value * 65_536)));
  const curve = Buffer.concat([Buffer.from("curv\0\0\0\0"), uint32s(1), Buffer.from([0, 0, 0, 0])]);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const xyz = (values: readonly number[]) => Buffer.concat([Buffer.from("XYZ \0\0\0\0"), fixed(values)]);
  const tags: [string, Buffer][] = [
    ["wtpt", xyz([0.9642, 1, 0.8249])],
    ...colorants.map((values, i): [string, Buffer] => [`${"rgb"[i]}XYZ`, xyz(values)]),
    ...["rTRC", "gTRC", "bTRC"].map((name): [string, Buffer] => [name, curve]),
  ];
  let offset = 132 + tags.length * 12;
  const table = tags.map(([name, { length }]) => {
    const entry = Buffer.concat([Buffer.from(name), uint32s(offset, length)]);
    offset += length;
    return entry;
  });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset);
  header.writeUInt32BE(0x0210_0000, 8);
  header.write("mntrRGB XYZ ", 12, "latin1");
  header.write("acsp", 36, "latin1");
  fixed([0.9642, 1, 0.8249]).copy(header, 68);
  return Buffer.concat([header, uint32s(tags.length), ...table, ...tags.map(([, data]) => data)]);
}

function rows(width: number, height: number, colour: Colour): Buffer {
  const row = Buffer.from([0, ...Array.from({ length: width }, () => colour).flat()]);
  return Buffer.concat(Array.from({ length: height }, () => row));
}

function ihdr(width: number, height: number, depth: number, colourType: number, interlaced = false): Buffer {
  return Buffer.concat([uint32s(width, height), Buffer.from([depth, colourType, 0, 0, Number(interlaced)])]);
}

function png(chunks: readonly (readonly [type: string, data: Buffer])[]): Buffer {
  const parts = [...chunks, ["IEND", Buffer.alloc(0)] as const].map(([type, data]) => {
    const typed = Buffer.concat([Buffer.from(type), data]);
    return Buffer.concat([uint32s(data.length), typed, uint32s(crc32(typed))]);
  });
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4);
  return bytes;
}

/** The same numbers from -1 to 1 in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  };
}
