import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { decode, readHeader } from "../../src/workers/images/decode.ts";
import { avifOptions, encodeWebp, shrink, thumbhashOf, webpOptions } from "../../src/workers/images/encode.ts";
import { makeWebImages } from "../../src/workers/images/recipe.ts";

/** Makes the images of one photo and gives the bytes they have together. */
export type Work = () => Promise<number>;

/** Gets the photo at `path` ready (not measured) and gives the work to be measured. */
export type Contestant = (path: string) => Promise<Work>;

const widths = [1280, 640, 320];
const never = new AbortController().signal;

const total = (outputs: { length: number }[]) => outputs.reduce((bytes, { length }) => bytes + length, 0);

/** The recipe of the worker; without AVIF the same steps but one. */
async function recipe(path: string, withAvif: boolean): Promise<Work> {
  if (withAvif) {
    return async () => total((await makeWebImages(await readFile(path), never)).variants.map(({ data }) => data));
  }
  return async () => {
    const source = await readFile(path);
    const large = await decode(source, await readHeader(source), 1280);
    const medium = await shrink(large, 640);
    const small = await shrink(medium, 320);
    const outputs: Buffer[] = [];
    for (const pixels of [large, medium, small]) outputs.push((await encodeWebp(pixels)).data);
    await thumbhashOf(small);
    return total(outputs);
  };
}

/** Only the calls into the codecs that the recipe cannot do without, each fed with pixels made before. */
async function floor(path: string, withAvif: boolean): Promise<Work> {
  const source = await readFile(path);
  const decoded = () =>
    sharp(source, { ignoreIcc: true }).autoOrient().resize({ width: 1280 }).raw().toBuffer({ resolveWithObject: true });
  const open = ({ data, info: { width, height, channels } }: Awaited<ReturnType<typeof decoded>>) =>
    sharp(data, { raw: { width, height, channels } });
  const large = await decoded();
  const medium = await open(large).resize({ width: 640 }).raw().toBuffer({ resolveWithObject: true });
  const small = await open(medium).resize({ width: 320 }).raw().toBuffer({ resolveWithObject: true });
  return async () => {
    await decoded();
    await open(large).resize({ width: 640 }).raw().toBuffer();
    await open(medium).resize({ width: 320 }).raw().toBuffer();
    const outputs = [await open(large).webp(webpOptions).toBuffer()];
    outputs.push(await open(medium).webp(webpOptions).toBuffer());
    outputs.push(await open(small).webp(webpOptions).toBuffer());
    if (withAvif) outputs.push(await open(medium).avif(avifOptions).toBuffer());
    return total(outputs);
  };
}

/** As the manual shows it: for each variant a pipeline from the source, default options. */
async function naive(path: string, withAvif: boolean): Promise<Work> {
  return async () => {
    const source = await readFile(path);
    const outputs: Buffer[] = [];
    for (const width of widths) {
      outputs.push(await sharp(source).autoOrient().resize({ width, withoutEnlargement: true }).webp().toBuffer());
    }
    if (withAvif) {
      outputs.push(await sharp(source).autoOrient().resize({ width: 640, withoutEnlargement: true }).avif().toBuffer());
    }
    return total(outputs);
  };
}

/** All that is measured inside a Node process, by name. */
export const contestants: Record<string, Contestant> = {
  recipe: (path) => recipe(path, true),
  "recipe-webp": (path) => recipe(path, false),
  floor: (path) => floor(path, true),
  "floor-webp": (path) => floor(path, false),
  naive: (path) => naive(path, true),
  "naive-webp": (path) => naive(path, false),
};
