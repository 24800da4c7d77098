import sharp, { type AvifOptions, type Sharp, type WebpOptions } from "sharp";
import { rgbaToThumbHash } from "thumbhash";
import type { Pixels } from "./decode.ts";

/** Effort 2 takes half the time of the usual 4, quality 79 takes back the bytes it adds to 80 (docs/benchmarks.md). */
export const webpOptions: WebpOptions = { quality: 79, effort: 2 };

/** Effort 4, the usual one, takes eight times as long as 2, and nothing can stop an encoder that runs. */
export const avifOptions: AvifOptions = { quality: 50, effort: 2 };

/** A hash keeps seven waves a side at most; the 100 pixels the package allows give the same one for twice the time. */
const thumbhashSide = 50;

/** One finished web image; `width` and `height` in pixels. */
export interface Variant {
  width: number;
  height: number;
  type: "image/webp" | "image/avif";
  data: Buffer;
}

/** Shrinks to `width` pixels, keeping the proportions; pixels of that width are given back as they are. */
export async function shrink(pixels: Pixels, width: number): Promise<Pixels> {
  if (pixels.width === width) return pixels;
  const { data, info } = await open(pixels).resize({ width }).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** Encodes as WebP without metadata; the same pixels give the same bytes. */
export async function encodeWebp(pixels: Pixels): Promise<Variant> {
  const { width, height } = pixels;
  return { width, height, type: "image/webp", data: await open(pixels).webp(webpOptions).toBuffer() };
}

/** Encodes as AVIF without metadata; the same pixels give the same bytes. Takes about half a second a megapixel. */
export async function encodeAvif(pixels: Pixels): Promise<Variant> {
  const { width, height } = pixels;
  return { width, height, type: "image/avif", data: await open(pixels).avif(avifOptions).toBuffer() };
}

/** Gives a blurred picture of at most 25 bytes, base64, to be shown while the real one loads. */
export async function thumbhashOf(pixels: Pixels): Promise<string> {
  const { data, info } = await open(pixels)
    .resize({ width: thumbhashSide, height: thumbhashSide, fit: "inside", withoutEnlargement: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString("base64");
}

function open({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}
