import sharp, { type AvifOptions, type Sharp, type WebpOptions } from "sharp";
import { rgbaToThumbHash } from "thumbhash";
import type { Pixels } from "./decode.ts";

/**
 * Effort 2 takes half the time of the default 4; quality 79 saves the bytes that it adds to 80 (docs/benchmarks.md).
 */
export const webpOptions: WebpOptions = { quality: 79, effort: 2 };

/** Effort 4, the default, takes eight times as long as 2, and a running encoder cannot be stopped. */
export const avifOptions: AvifOptions = { quality: 50, effort: 2 };

/**
 * A hash keeps at most seven waves per side; the package's maximum of 100 pixels gives the same one in twice the time.
 */
const thumbhashSide = 50;

/** One finished web image; `width` and `height` in pixels. */
export interface Variant {
  width: number;
  height: number;
  type: "image/webp" | "image/avif";
  data: Buffer;
}

/** Shrinks to `width` pixels and keeps the proportions; returns pixels of that width unchanged. */
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

/** A blurred picture of at most 25 bytes, base64, to show while the real one loads. */
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
