import sharp, { type AvifOptions, type Sharp, type WebpOptions } from "sharp";
import { rgbaToThumbHash } from "thumbhash";
import { decode, type Pixels, readHeader } from "./decode.ts";

/** Names the stored objects together with their source: goes up when the same source would give other bytes. */
export const recipeVersion = "r1";

const webpWidths = [320, 640, 1280];
const avifWidth = 640;

const webpOptions: WebpOptions = { quality: 80, effort: 2 };
/** Above effort 3 the encoder takes five times as long for the same bytes, and nothing can stop it once it runs. */
const avifOptions: AvifOptions = { quality: 50, effort: 2 };

/** One finished web image; `width` and `height` in pixels. */
export interface Variant {
  width: number;
  height: number;
  type: "image/webp" | "image/avif";
  data: Buffer;
}

/** All that is made of one photo; `thumbhash` is base64 of at most 25 bytes. */
export interface WebImages {
  variants: Variant[];
  thumbhash: string;
}

/**
 * Makes the web images of a photo: WebP 320, 640 and 1280 pixels wide, then one AVIF of 640, never enlarged (a narrower
 * photo gives its own width once), upright, sRGB, 8 bit, with alpha if it has some, without any metadata.
 *
 * The same source gives the same bytes, so it may be repeated. Throws `UnusableImageError` when the picture itself is
 * the reason, the signal's reason when it was aborted (looked at between the steps, each of which is bounded by the
 * limits on size), anything else for a fault of the machine.
 */
export async function makeWebImages(source: Buffer, signal: AbortSignal): Promise<WebImages> {
  signal.throwIfAborted();
  const header = await readHeader(source);
  const widths = [...new Set(webpWidths.map((width) => Math.min(width, header.width)))];
  signal.throwIfAborted();

  let pixels = await decode(source, header, Math.max(...widths));
  const variants: Variant[] = [];
  for (const width of widths.toReversed()) {
    signal.throwIfAborted();
    pixels = await shrink(pixels, width);
    variants.unshift(await encodeWebp(pixels));
    signal.throwIfAborted();
    if (width === Math.min(avifWidth, header.width)) variants.push(await encodeAvif(pixels));
  }
  return { variants, thumbhash: await thumbhashOf(pixels) };
}

async function shrink(pixels: Pixels, width: number): Promise<Pixels> {
  if (pixels.width === width) return pixels;
  const { data, info } = await open(pixels).resize({ width }).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

async function encodeWebp(pixels: Pixels): Promise<Variant> {
  const { width, height } = pixels;
  return { width, height, type: "image/webp", data: await open(pixels).webp(webpOptions).toBuffer() };
}

async function encodeAvif(pixels: Pixels): Promise<Variant> {
  const { width, height } = pixels;
  return { width, height, type: "image/avif", data: await open(pixels).avif(avifOptions).toBuffer() };
}

async function thumbhashOf(pixels: Pixels): Promise<string> {
  const { data, info } = await open(pixels)
    .resize({ width: 100, height: 100, fit: "inside", withoutEnlargement: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString("base64");
}

function open({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}
