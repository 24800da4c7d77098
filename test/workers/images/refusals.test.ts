import { spawn } from "node:child_process";
import { json } from "node:stream/consumers";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { UnusableImageError } from "../../../src/workers/images/decode.ts";
import { makeWebImages } from "../../../src/workers/images/recipe.ts";
import { painted, phonePhoto, pngBomb, pngClaiming, redPng, truncated } from "../../support/images.ts";

const signal = new AbortController().signal;

async function refusal(source: Buffer): Promise<string> {
  const error = await makeWebImages(source, signal).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnusableImageError);
  return (error as UnusableImageError).message;
}

const notAnImage = "The file is not a JPEG, PNG or WebP image";

describe("what is not a JPEG, PNG or WebP is refused", () => {
  const pixels = () => painted(40, 30, () => [10, 200, 90]);
  const others: [string, () => Promise<Buffer> | Buffer][] = [
    ["SVG", () => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9"/></svg>`)],
    ["SVG after an XML declaration", () => Buffer.from(`<?xml version="1.0"?><svg width="9" height="9"></svg>`)],
    ["GIF", () => pixels().gif().toBuffer()],
    ["TIFF", () => pixels().tiff().toBuffer()],
    ["AVIF", () => pixels().avif({ effort: 0 }).toBuffer()],
    ["PDF", () => Buffer.from("%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")],
    ["HTML", () => Buffer.from("<!doctype html><script>alert(1)</script>")],
    ["text", () => Buffer.from("brake pads, front")],
    ["three bytes", () => Buffer.from([0xff, 0xd8, 0x00])],
    ["WAVE in the container of WebP", () => Buffer.from("RIFF\x24\0\0\0WAVEfmt ", "latin1")],
  ];

  test.each(others)("%s", async (_name, source) => {
    const file = await source();
    expect(await refusal(file)).toBe(notAnImage);
    // Also without looking at the first bytes, nothing is left that could decode it.
    await expect(sharp(file).metadata()).rejects.toThrow();
  });

  test("a file of no bytes", async () => {
    expect(await refusal(Buffer.alloc(0))).toBe("The file is empty");
  });
});

describe("what is damaged is refused", () => {
  test.each([0.001, 0.1, 0.5, 0.99])("a JPEG of which %f is there", async (share) => {
    expect(await refusal(truncated(await phonePhoto(), share))).toBe("The JPEG is damaged: it ends too early");
  });

  test("a JPEG with its end in the wrong place", async () => {
    const source = Buffer.concat([truncated(await phonePhoto(), 0.5), Buffer.from([0xff, 0xd9])]);
    expect(await refusal(source)).toBe("The JPEG is damaged: it ends too early");
  });

  test.each([0.1, 0.5, 0.99])("a PNG of which %f is there", async (share) => {
    const png = await sharp(await phonePhoto({ width: 400, height: 300 }))
      .png()
      .toBuffer();
    expect(await refusal(truncated(png, share))).toBe("The PNG is damaged: it ends too early");
  });

  test.each([0.1, 0.5, 0.99])("a WebP of which %f is there", async (share) => {
    const webp = await sharp(await phonePhoto({ width: 400, height: 300 }))
      .webp()
      .toBuffer();
    expect(await refusal(truncated(webp, share))).toBe("The WebP is damaged: it ends too early");
  });

  test("a PNG whose checksum is wrong", async () => {
    const png = await redPng(400, 300);
    const at = png.indexOf("IDAT") + 20;
    png.writeUInt8(png.readUInt8(at) ^ 0xff, at);
    expect(await refusal(png)).toBe("The PNG is damaged: it cannot be decoded");
  });

  test("the first bytes of an image with anything behind", async () => {
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251));
    for (const start of [await phonePhoto({ width: 64, height: 48 }), await redPng()]) {
      expect(await refusal(Buffer.concat([start.subarray(0, 12), noise]))).toMatch(/^The (JPEG|PNG) is damaged: /);
    }
  });

  test("but not a JPEG with the wrong scan parameters that some phones write", async () => {
    const source = await phonePhoto({ width: 400, height: 300 });
    const scan = source.indexOf(Buffer.from([0xff, 0xda]));
    const parameters = scan + 2 + source.readUInt16BE(scan + 2) - 3;
    expect([...source.subarray(parameters, parameters + 3)]).toEqual([0, 63, 0]);
    source.writeUInt8(0, parameters + 1);
    await expect(sharp(source).raw().toBuffer()).rejects.toThrow("Invalid SOS parameters");
    expect((await makeWebImages(source, signal)).variants).toHaveLength(3);
  });
});

describe("what is too large is refused before it is decoded", () => {
  test.each<[string, () => Buffer, string]>([
    [
      "16,000 pixels square",
      () => pngClaiming(16_000, 16_000),
      "The image is 16000 × 16000 pixels; at most 50 megapixels can be processed",
    ],
    [
      "the largest PNG there is",
      () => pngClaiming(2 ** 31 - 1, 2 ** 31 - 1),
      "The PNG is damaged: it cannot be decoded",
    ],
    [
      "a line",
      () => pngClaiming(1, 100_000),
      "The image is 1 × 100000 pixels; as narrow as that it may be at most 16383 pixels high",
    ],
    [
      "interlaced with 16 bits",
      () => pngClaiming(7000, 7000, 16, true),
      "The image is 7000 × 7000 pixels, interlaced, and takes 392 MB of memory; at most 160 MB can be processed",
    ],
  ])("%s", async (_name, source, message) => {
    expect(await refusal(source())).toBe(message);
  });

  test("a bomb of one megabyte, with less than 300 MB of memory for the whole process", async () => {
    const bomb = pngBomb(16_000);
    expect(bomb.length).toBeLessThan(1_500_000);
    const recipe = new URL("../../../src/workers/images/recipe.ts", import.meta.url).href;
    const script = `
      import { buffer } from "node:stream/consumers";
      const { makeWebImages } = await import(${JSON.stringify(recipe)});
      const refused = await makeWebImages(await buffer(process.stdin), new AbortController().signal).catch((e) => e);
      const peakMb = process.resourceUsage().maxRSS / 1024;
      console.log(JSON.stringify({ name: refused.name, message: refused.message, peakMb }));`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.end(bomb);
    const { name, message, peakMb } = (await json(child.stdout)) as { name: string; message: string; peakMb: number };
    expect({ name, message }).toEqual({
      name: "UnusableImageError",
      message: "The image is 16000 × 16000 pixels; at most 50 megapixels can be processed",
    });
    expect(peakMb).toBeLessThan(300);
  });

  test("but a bomb of 49 megapixels is only a picture", async () => {
    const { variants } = await makeWebImages(pngBomb(7000), signal);
    expect(variants.map(({ width }) => width)).toEqual([320, 640, 1280, 640]);
  });
});

describe("an aborted signal", () => {
  test("stops before the first step", async () => {
    const reason = new Error("the job took too long");
    await expect(makeWebImages(await redPng(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("stops between two steps", async () => {
    const reason = new Error("the worker shuts down");
    const abort = new AbortController();
    const work = makeWebImages(await phonePhoto({ width: 2400, height: 1800 }), abort.signal);
    setTimeout(() => abort.abort(reason), 5);
    await expect(work).rejects.toBe(reason);
  });
});
