import sharp, { type Metadata } from "sharp";
import { AppError } from "../../errors.ts";
import { isSrgbProfile } from "./icc.ts";

// Each other format of libvips is one more decoder to attack, and SVG may even fetch files. Saving is not affected.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer"],
});
// Each photo comes once: a cache only costs memory. Several photos use the cores, not several threads for one.
sharp.cache(false);
sharp.concurrency(1);

/** Phones take photos of up to 50 megapixels; a decoded photo of this size is 150 MB. */
const maxPixels = 50_000_000;
/** The maximum of a WebP is 16,383; a web image is at most 1280 wide. */
const tallest = { height: 16_383, width: 1_280 };
/** Interlaced and progressive pictures are held in memory as a whole; 50 megapixels from a phone take 150 MB. */
const maxWholeMegabytes = 160;

const formatNames = { jpeg: "JPEG", png: "PNG", webp: "WebP" } as const;
type Format = keyof typeof formatNames;

/** Uncompressed pixels, sRGB, 8 bit, rows from the top, `channels` 3 (RGB) or 4 (with alpha, not premultiplied). */
export interface Pixels {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  data: Buffer;
}

/** The header of a usable picture; sizes in pixels, upright. */
interface Header {
  format: Format;
  width: number;
  height: number;
  /** Absent or sRGB: then there is nothing to convert. */
  hasPlainColours: boolean;
}

/**
 * Reads the header of a picture and refuses a picture that must not be decoded; costs about a millisecond.
 *
 * Throws `UnusableImageError` for an empty file, for anything but JPEG, PNG and WebP, for a damaged header and for
 * dimensions above the limits. May be repeated.
 */
export async function readHeader(source: Buffer): Promise<Header> {
  if (source.length === 0) throw new UnusableImageError("The file is empty");
  const format = formatOf(source);
  if (format === undefined) throw new UnusableImageError("The file is not a JPEG, PNG or WebP image");
  // Without a limit here, because the message of the limit below names the size.
  const header = await sharp(source, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => rethrow(error, source, format));
  refuseDimensions(header);
  const { width, height } = header.autoOrient;
  return { format, width, height, hasPlainColours: header.icc === undefined || isSrgbProfile(header.icc) };
}

/**
 * Decodes a picture once, already shrunk to `width` pixels, upright and in sRGB; of an animation the first frame.
 *
 * Throws `UnusableImageError` for data that ends too early or cannot be decoded. May be repeated.
 */
export async function decode(source: Buffer, header: Header, width: number): Promise<Pixels> {
  const { data, info } = await decodePixels(source, header, width, "warning")
    .catch((error: unknown) => {
      if (!isHarmless(error)) throw error;
      return decodePixels(source, header, width, "error");
    })
    .catch((error: unknown) => rethrow(error, source, header.format));
  return { data, width: info.width, height: info.height, channels: info.channels };
}

function decodePixels(source: Buffer, header: Header, width: number, failOn: "warning" | "error") {
  return sharp(source, { limitInputPixels: maxPixels, failOn, ignoreIcc: header.hasPlainColours })
    .autoOrient()
    .resize({ width })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
}

/** Some phones write this into every photo; the picture is whole. */
function isHarmless(error: unknown): boolean {
  return error instanceof Error && error.message.includes("Invalid SOS parameters for sequential JPEG");
}

function refuseDimensions(header: Metadata): void {
  const { width, height } = header.autoOrient;
  const size = `The image is ${width} × ${height} pixels`;
  if (width * height > maxPixels) {
    throw new UnusableImageError(`${size}; at most ${maxPixels / 1_000_000} megapixels can be processed`);
  }
  const shownHeight = Math.round((height * Math.min(width, tallest.width)) / width);
  if (shownHeight > tallest.height) {
    throw new UnusableImageError(`${size}; as narrow as that it may be at most ${tallest.height} pixels high`);
  }
  const megabytes = Math.ceil((width * height * bytesHeldPerPixel(header)) / 1_000_000);
  if (megabytes > maxWholeMegabytes) {
    throw new UnusableImageError(
      `${size}, interlaced, and takes ${megabytes} MB of memory; at most ${maxWholeMegabytes} MB can be processed`,
    );
  }
}

function bytesHeldPerPixel({ format, channels, depth, isProgressive, chromaSubsampling }: Metadata): number {
  if (!isProgressive) return 0;
  if (format !== "jpeg") return channels * (depth === "uchar" ? 1 : 2);
  // Coefficients of two bytes; of 4:2:0 colour there is half a pair for each pixel.
  return chromaSubsampling === "4:2:0" ? 3 : channels * 2;
}

function formatOf(source: Buffer): Format | undefined {
  const start = source.toString("latin1", 0, 12);
  if (start.startsWith("\xff\xd8\xff")) return "jpeg";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "webp";
  return undefined;
}

/** Turns a decoder's error into a sentence for people; rethrows an error that is not the picture's fault. */
function rethrow(error: unknown, source: Buffer, format: Format): never {
  const message = error instanceof Error ? error.message : "";
  if (message === "" || /memory|allocat|timeout/i.test(message)) throw error;
  const reason = endsTooEarly(source, format, message) ? "it ends too early" : "it cannot be decoded";
  throw new UnusableImageError(`The ${formatNames[format]} is damaged: ${reason}`, { cause: error });
}

function endsTooEarly(source: Buffer, format: Format, message: string): boolean {
  if (format === "jpeg") return message.includes("premature end");
  if (format === "png") return source.lastIndexOf("IEND") < 0;
  return source.length < 12 || source.readUInt32LE(4) + 8 > source.length;
}

/** The picture itself is the reason, so no retry can help; the message is a sentence for its sender. */
export class UnusableImageError extends AppError {
  readonly code = "unusable_image";
}
