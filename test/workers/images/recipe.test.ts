import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { isSrgbProfile } from "../../../src/workers/images/icc.ts";
import { makeWebImages, recipeVersion, type Variant } from "../../../src/workers/images/recipe.ts";
import {
  animatedPng,
  animatedWebp,
  type Colour,
  flatPng,
  matrixProfile,
  painted,
  phonePhoto,
  polyglot,
  redPng,
} from "../../support/images.ts";

const signal = new AbortController().signal;
const make = (source: Buffer) => makeWebImages(source, signal);

const adobeRgb = [
  [0.60974, 0.31111, 0.01947],
  [0.20528, 0.62567, 0.06087],
  [0.14919, 0.06322, 0.74457],
];
const srgb = [
  [0.4361, 0.2225, 0.0139],
  [0.3851, 0.7169, 0.0971],
  [0.1431, 0.0606, 0.7141],
];

/** The recipe's module shuts the AVIF loader for the whole process. */
async function reading<T>(read: () => Promise<T>): Promise<T> {
  sharp.unblock({ operation: ["VipsForeignLoadHeifBuffer"] });
  try {
    return await read();
  } finally {
    sharp.block({ operation: ["VipsForeignLoadHeifBuffer"] });
  }
}

const metadata = ({ data }: Variant) => reading(() => sharp(data).metadata());

/** RGB or RGBA at a place given in shares of the width and the height. */
async function colourAt({ data }: Variant, across = 0.5, down = 0.5): Promise<Colour> {
  const { data: pixels, info } = await reading(() => sharp(data).raw().toBuffer({ resolveWithObject: true }));
  const at = (Math.floor(down * info.height) * info.width + Math.floor(across * info.width)) * info.channels;
  return [...pixels.subarray(at, at + info.channels)];
}

function expectColour(actual: Colour, expected: Colour, tolerance: number) {
  expect(actual).toHaveLength(expected.length);
  const furthest = Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] ?? 0))));
  expect(furthest, `${actual} should be ${expected}`).toBeLessThanOrEqual(tolerance);
}

const sizes = (variants: Variant[]) => variants.map(({ width, height, type }) => `${width}x${height} ${type}`);

describe("the variants", () => {
  test("are WebP of three widths, by width, and one AVIF, with the sizes they say", async () => {
    const { variants } = await make(await phonePhoto({ width: 2000, height: 1500 }));
    expect(sizes(variants)).toEqual([
      "320x240 image/webp",
      "640x480 image/webp",
      "1280x960 image/webp",
      "640x480 image/avif",
    ]);
    for (const variant of variants) {
      const { format, width, height } = await metadata(variant);
      expect({ type: `image/${format === "heif" ? "avif" : format}`, width, height }).toEqual({
        type: variant.type,
        width: variant.width,
        height: variant.height,
      });
    }
  });

  test.each([
    [1000, ["320x160 image/webp", "640x320 image/webp", "1000x500 image/webp", "640x320 image/avif"]],
    [640, ["320x160 image/webp", "640x320 image/webp", "640x320 image/avif"]],
    [500, ["320x160 image/webp", "500x250 image/webp", "500x250 image/avif"]],
    [320, ["320x160 image/webp", "320x160 image/avif"]],
    [31, ["31x16 image/webp", "31x16 image/avif"]],
    [1, ["1x1 image/webp", "1x1 image/avif"]],
  ])("of a photo %i pixels wide are never enlarged", async (width, expected) => {
    const { variants, thumbhash } = await make(await redPng(width, Math.max(1, Math.round(width / 2))));
    expect(sizes(variants)).toEqual(expected);
    for (const variant of variants) expectColour(await colourAt(variant), [255, 0, 0], 3);
    expect(Buffer.from(thumbhash, "base64").length).toBeGreaterThan(4);
  });

  test("come with a thumbhash of at most 25 bytes", async () => {
    const { thumbhash } = await make(await phonePhoto());
    expect(Buffer.from(thumbhash, "base64").length).toBeLessThanOrEqual(25);
    expect(thumbhash).toMatch(/^[A-Za-z0-9+/]+=*$/);
  });

  test("are the same bytes for the same source, also when made side by side", async () => {
    const source = await phonePhoto();
    const first = await make(source);
    for (const again of await Promise.all([make(source), make(Buffer.from(source))])) expect(again).toEqual(first);
  });

  test("belong to a recipe whose version goes up with the encoders", () => {
    const { vips, webp, aom, heif } = sharp.versions as Record<string, string>;
    expect(
      { recipeVersion, vips, webp, aom, heif },
      "other encoders may make other bytes: raise recipeVersion and write the new versions here",
    ).toEqual({ recipeVersion: "r1", vips: "8.18.7", webp: "1.6.0", aom: "3.15.1", heif: "1.23.5" });
  });
});

describe("the picture", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("is upright from EXIF orientation %i", async (orientation) => {
    const { variants } = await make(await phonePhoto({ width: 800, height: 600, orientation }));
    expect(sizes(variants)[0]).toBe("320x240 image/webp");
    for (const variant of variants) {
      const { orientation: left } = await metadata(variant);
      expect(left ?? 1).toBe(1);
      expectColour(await colourAt(variant, 0.05, 0.05), [230, 20, 20], 25);
      for (const [across, down] of [
        [0.95, 0.05],
        [0.05, 0.95],
        [0.95, 0.95],
      ]) {
        const [, green = 0] = await colourAt(variant, across, down);
        expect(green, `at ${across}, ${down}`).toBeGreaterThan(45);
      }
    }
  });

  test("loses EXIF, GPS, profile, comments and whatever else was in the file", async () => {
    const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>`;
    const source = await sharp(await phonePhoto())
      .keepMetadata()
      .withXmp(xmp)
      .jpeg()
      .toBuffer();
    const planted = await sharp(source).metadata();
    expect(planted.exif?.includes("Phone")).toBe(true);
    expect(planted.xmp).toBeDefined();
    const { variants } = await make(polyglot(source, "<script>alert(1)</script>"));
    for (const variant of variants) {
      const { exif, xmp: leftXmp, icc, iptc, comments } = await metadata(variant);
      expect({ exif, xmp: leftXmp, icc, iptc, comments }).toEqual({});
      for (const trace of ["<script", "Exif", "EXIF", "Phone", "xmpmeta", "ICCP", "acsp", "prof"]) {
        expect(variant.data.includes(trace), `${variant.type} holds ${trace}`).toBe(false);
      }
    }
  });

  test("keeps its transparency", async () => {
    const source = await painted(400, 300, (x) => [0, 160, 0, x < 200 ? 0 : 255])
      .png()
      .toBuffer();
    for (const variant of (await make(source)).variants) {
      expect((await colourAt(variant, 0.1))[3]).toBe(0);
      expectColour(await colourAt(variant, 0.9), [0, 160, 0, 255], 4);
    }
  });

  test("of an animation is its first frame", async () => {
    const [blue, red] = [
      [10, 20, 230],
      [230, 20, 10],
    ];
    const many = Array.from({ length: 300 }, (_, i) => (i === 0 ? blue : red));
    for (const source of [await animatedWebp(64, 48, many), animatedPng(64, 48, blue, red)]) {
      const { variants } = await make(source);
      expect(sizes(variants)).toEqual(["64x48 image/webp", "64x48 image/avif"]);
      for (const variant of variants) {
        expect((await metadata(variant)).pages ?? 1).toBe(1);
        expectColour(await colourAt(variant), blue, 6);
      }
    }
  });

  test.each<[string, () => Promise<Buffer>, Colour]>([
    [
      "a 16-bit PNG",
      () =>
        painted(300, 200, () => [40, 150, 220])
          .toColourspace("rgb16")
          .png()
          .toBuffer(),
      [40, 150, 220],
    ],
    [
      "a grey JPEG",
      () =>
        painted(300, 200, () => [128, 128, 128])
          .toColourspace("b-w")
          .jpeg()
          .toBuffer(),
      [128, 128, 128],
    ],
    [
      "a grey PNG with alpha",
      () =>
        painted(300, 200, () => [90, 128])
          .png()
          .toBuffer(),
      [90, 90, 90, 128],
    ],
    [
      "a PNG with a palette",
      () =>
        painted(300, 200, () => [200, 50, 50])
          .png({ palette: true })
          .toBuffer(),
      [200, 50, 50],
    ],
    [
      "a progressive JPEG",
      () =>
        painted(300, 200, () => [40, 150, 220])
          .jpeg({ progressive: true })
          .toBuffer(),
      [40, 150, 220],
    ],
  ])("of %s becomes 8 bits of sRGB", async (_name, source, expected) => {
    for (const variant of (await make(await source())).variants) {
      expect(await metadata(variant)).toMatchObject({ space: "srgb", depth: "uchar" });
      expectColour((await colourAt(variant)).slice(0, expected.length), expected, 4);
    }
  });
});

describe("colours", () => {
  test("of a CMYK JPEG are converted, with and without a profile", async () => {
    for (const colour of [
      [150, 120, 100],
      [255, 255, 255],
    ]) {
      const pixels = painted(300, 200, () => colour);
      const plain = await pixels.clone().toColourspace("cmyk").jpeg({ quality: 95 }).toBuffer();
      const profiled = await pixels.clone().withIccProfile("cmyk").jpeg({ quality: 95 }).toBuffer();
      for (const source of [plain, profiled]) {
        expect((await sharp(source).metadata()).space).toBe("cmyk");
        // The way to CMYK and back moves a colour by up to 17; taking the channels for inverted would by a hundred.
        for (const variant of (await make(source)).variants) expectColour(await colourAt(variant), colour, 20);
      }
    }
  });

  test("of Display P3 are converted", async () => {
    const { icc } = await sharp(
      await painted(8, 8, () => [0, 0, 0])
        .withIccProfile("p3")
        .png()
        .toBuffer(),
    ).metadata();
    expect(icc && isSrgbProfile(icc)).toBe(false);
    for (const variant of (await make(flatPng(400, 300, [180, 120, 60], icc))).variants) {
      expectColour(await colourAt(variant), displayP3ToSrgb([180, 120, 60]), 2);
    }
  });

  test("of Adobe RGB are converted", async () => {
    const source = flatPng(400, 300, [120, 150, 90], matrixProfile(adobeRgb, 563 / 256));
    // By the matrices of both spaces.
    expectColour(await colourAt((await make(source)).variants[0] as Variant), [105, 151, 86], 2);
  });

  test("of a profile that is sRGB, or that no program can read, stay as they are", async () => {
    const { icc: srgbIcc } = await sharp(await phonePhoto({ width: 64, height: 48 })).metadata();
    for (const icc of [srgbIcc, Buffer.from("not a profile"), undefined]) {
      const { variants } = await make(flatPng(400, 300, [120, 150, 90], icc));
      expectColour(await colourAt(variants[0] as Variant), [120, 150, 90], 2);
    }
  });

  test("are looked up in the numbers of a profile, not in its name", async () => {
    const { icc } = await sharp(await phonePhoto({ width: 64, height: 48 })).metadata();
    expect(icc && isSrgbProfile(icc)).toBe(true);
    expect(isSrgbProfile(matrixProfile(srgb, 2.2))).toBe(false);
    expect(isSrgbProfile(matrixProfile(adobeRgb, 2.2))).toBe(false);
    expect(isSrgbProfile(Buffer.concat([Buffer.from("sRGB"), Buffer.alloc(20)]))).toBe(false);
    for (let length = 0; icc && length < icc.length - 4; length += 7) {
      expect(isSrgbProfile(icc.subarray(0, length))).toBe(false);
    }
  });
});

/** CSS Color 4, both with the curve of sRGB. */
function displayP3ToSrgb(colour: Colour): Colour {
  const [r = 0, g = 0, b = 0] = colour.map((value) => toLinear(value / 255));
  return [
    1.2249401763 * r - 0.2249401763 * g,
    -0.0420569547 * r + 1.0420569547 * g,
    -0.0196375546 * r - 0.0786360456 * g + 1.0982736 * b,
  ].map((value) => Math.round(255 * toCurve(value)));
}

function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function toCurve(value: number): number {
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}
