import { existsSync } from "node:fs";
import { mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";

const width = 4000;
const height = 3000;
/** What phones make of 12 megapixels. */
const [leastBytes, maxBytes] = [2_600_000, 4_000_000];

const exif = {
  IFD0: { Make: "Bench", Model: "Synthetic 12 MP" },
  IFD3: { GPSLatitudeRef: "N", GPSLatitude: "56/1 50/1 0/1", GPSLongitudeRef: "E", GPSLongitude: "60/1 36/1 0/1" },
};

/**
 * Gives the paths of `count` JPEG photos of 4000 × 3000 pixels and 2.6 to 4 MB, with EXIF, GPS and an sRGB profile,
 * every fourth one stored on its side (orientation 6).
 *
 * Without `directory` they are drawn from seeds: shapes, noise in many octaves that is in focus only in places, and
 * sensor noise; with it they are cut from the photographs found there. Made once into the system's temporary
 * directory, so it may be repeated. Throws when the directory holds no photographs.
 */
export async function testPhotos(count: number, directory?: string): Promise<string[]> {
  const originals = directory === undefined ? undefined : await photographsIn(directory);
  const target = join(
    tmpdir(),
    `bench-photos-2-${directory === undefined ? "drawn" : directory.replaceAll(/\W/g, "_")}`,
  );
  await mkdir(target, { recursive: true });
  const paths = Array.from({ length: count }, (_, i) => join(target, `${i}.jpg`));
  for (const [i, path] of paths.entries()) {
    if (existsSync(path)) continue;
    const pixels =
      originals === undefined ? await draw(i + 1) : await cut(originals[i % originals.length] ?? "", i + 1);
    await writeFile(`${path}.part`, await asPhonePhoto(pixels, i % 4 === 3 ? 6 : 1));
    await rename(`${path}.part`, path);
  }
  return paths;
}

async function photographsIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => /\.jpe?g$/i.test(name)).sort();
  const found: string[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const { width: wide = 0, height: high = 0 } = (await stat(path)).isFile() ? await sharp(path).metadata() : {};
    if (wide >= 2500 && high >= 2000) found.push(path);
  }
  if (found.length === 0) throw new Error(`No JPEG of at least 2500 × 2000 pixels in ${directory}`);
  return found;
}

/** Three bytes a pixel. */
async function cut(path: string, seed: number): Promise<Buffer> {
  const pixels = await sharp(path).autoOrient().resize(width, height).removeAlpha().raw().toBuffer();
  return addSensorNoise(pixels, 2, random(seed));
}

async function draw(seed: number): Promise<Buffer> {
  const next = random(seed);
  const [texture, focus, tint] = [await octaves(next, 3, 11), await octaves(next, 1, 3), await octaves(next, 1, 4)];
  const pixels = await sharp(Buffer.from(shapes(next)))
    .removeAlpha()
    .raw()
    .toBuffer();
  for (let i = 0; i < focus.length; i++) {
    const sharpness = Math.max(0.08, Math.min(1, 0.55 + (focus[i] ?? 0) / 60));
    const light = (texture[i] ?? 0) * sharpness + (focus[i] ?? 0) * 0.4;
    const warmth = (tint[i] ?? 0) * 0.2;
    const at = i * 3;
    pixels[at] = clamp((pixels[at] ?? 0) + light + warmth);
    pixels[at + 1] = clamp((pixels[at + 1] ?? 0) + light);
    pixels[at + 2] = clamp((pixels[at + 2] ?? 0) + light - warmth);
  }
  return addSensorNoise(pixels, 2.5, next);
}

/** Noise that is added up from grids of 2^from … 2^to cells, each half as strong as the one before, around 0. */
async function octaves(next: () => number, from: number, to: number): Promise<Float32Array> {
  const sum = new Float32Array(width * height);
  for (let octave = from; octave <= to; octave++) {
    const [w, h] = [2 ** octave, Math.round(2 ** octave * 0.75)];
    const grid = Buffer.from(Array.from({ length: w * h }, () => Math.floor(next() * 256)));
    const layer = await sharp(grid, { raw: { width: w, height: h, channels: 1 } })
      .resize(width, height, { kernel: "cubic", fit: "fill" })
      .extractChannel(0)
      .raw()
      .toBuffer();
    const strength = 0.55 / 1.6 ** (octave - from);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + ((layer[i] ?? 0) - 128) * strength;
  }
  return sum;
}

function shapes(next: () => number): string {
  const between = (low: number, high: number) => low + next() * (high - low);
  const colour = () => `hsl(${between(0, 360)},${between(5, 50)}%,${between(15, 80)}%)`;
  const gradients = Array.from(
    { length: 12 },
    (_, i) =>
      `<linearGradient id="g${i}" gradientTransform="rotate(${between(0, 90)})"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient>`,
  );
  const parts = Array.from({ length: 60 }, () => {
    const paint = `fill="url(#g${Math.floor(between(0, 12))})" stroke="${colour()}" stroke-width="${between(0, 14)}"`;
    const [x, y, size] = [between(-200, width), between(-200, height), between(30, 700)];
    const turn = `transform="rotate(${between(0, 180)} ${x} ${y})"`;
    if (next() < 0.4) return `<circle cx="${x}" cy="${y}" r="${size / 2}" ${paint}/>`;
    if (next() < 0.5) return `<rect x="${x}" y="${y}" width="${size}" height="${size / 3}" rx="20" ${paint} ${turn}/>`;
    const teeth = `stroke-dasharray="${size / 12}" stroke-width="${size / 8}" fill="none" stroke="${colour()}"`;
    return `<circle cx="${x}" cy="${y}" r="${size / 2}" ${teeth}/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>${gradients.join("")}</defs><rect width="100%" height="100%" fill="url(#g0)"/>${parts.join("")}</svg>`;
}

/** A table, because a logarithm for each of 36 million values takes seconds. */
function addSensorNoise(pixels: Buffer, sigma: number, next: () => number): Buffer {
  const table = Float32Array.from(
    { length: 65_536 },
    () => sigma * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
  for (let i = 0; i < pixels.length; i++) pixels[i] = clamp((pixels[i] ?? 0) + (table[(next() * 65_536) | 0] ?? 0));
  return pixels;
}

async function asPhonePhoto(pixels: Buffer, orientation: number): Promise<Buffer> {
  let [low, high] = [60, 97];
  for (;;) {
    const quality = Math.round((low + high) / 2);
    const photo = await sharp(pixels, { raw: { width, height, channels: 3 } })
      .withIccProfile("srgb")
      .withExifMerge({ ...exif, IFD0: { ...exif.IFD0, Orientation: String(orientation) } })
      .withMetadata({ orientation })
      .jpeg({ quality })
      .toBuffer();
    if (high - low <= 1 || (photo.length >= leastBytes && photo.length <= maxBytes)) return photo;
    if (photo.length < leastBytes) low = quality;
    else high = quality;
  }
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
}

/** Mulberry32: the same seed gives the same photo. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
