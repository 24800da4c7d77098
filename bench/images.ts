import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import sharp from "sharp";
import type { Measured } from "./support/image-child.ts";
import { testPhotos } from "./support/photos.ts";
import { machine, markdownTable, median } from "./support/statistics.ts";
import { runVipsthumbnail, vipsthumbnailVersion } from "./support/vipsthumbnail.ts";

export const summary =
  "the web images of a photo against the codecs, sharp as usually written, vipsthumbnail [--rounds 5] [--photos <dir>]";

const inFlight = 2;
/** Each photo several times in a process, so that what only its start costs does not count. */
const repetitions = 2;

const titles: Record<string, string> = {
  recipe: "this recipe",
  floor: "codec floor: its single stages",
  naive: "sharp as usually written",
  vips: "vipsthumbnail",
};

type Rounds = Map<string, Measured[]>;

/**
 * Measures all ways to make the web images in turn, `--rounds` times (5), and prints a Markdown table and whether the
 * goals are reached. `--photos` names a directory of photographs to take instead of drawn ones. Takes a minute for
 * each round. Throws when a measuring process fails.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: "string" }, photos: { type: "string" } } });
  const rounds = Number(values.rounds ?? 5);
  console.log("Getting the photos ready (drawn once, then kept in the temporary directory) …");
  const photos = await testPhotos(8, values.photos);
  const paths = Array.from({ length: repetitions }, () => photos).flat();

  const vips = vipsthumbnailVersion();
  if (vips === undefined) console.log("vipsthumbnail is not installed (Debian: libvips-tools): left out.");
  const names = ["recipe", "floor", "naive", ...(vips === undefined ? [] : ["vips"])];
  const results: Rounds = new Map();
  for (let round = 0; round < rounds; round++) {
    console.log(`Round ${round + 1} of ${rounds} …`);
    for (const name of names.flatMap((each) => [each, `${each}-webp`])) {
      results.set(name, [...(results.get(name) ?? []), await measure(name, paths)]);
    }
  }

  console.log(`\n${machine()}; sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}; CLI: ${vips ?? "none"}`);
  console.log(`${paths.length} photos of 12 megapixels in each of ${rounds} rounds, ${inFlight} in flight; medians\n`);
  console.log(table(results, names, paths.length));
  console.log(`\n${verdict(results)}`);
}

function measure(name: string, paths: string[]): Promise<Measured> {
  if (name.startsWith("vips")) return runVipsthumbnail(paths, inFlight, name === "vips");
  return measureInChild(name, paths);
}

async function measureInChild(name: string, paths: string[]): Promise<Measured> {
  const script = join(import.meta.dirname, "support/image-child.ts");
  const args = [...process.execArgv, script, name, String(inFlight), ...paths];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Measured;
}

function table(results: Rounds, names: string[], count: number): string {
  const head = ["", "images/s", "CPU s/photo", "kB/photo", "peak RSS MB", "rate against it", "CPU against it"];
  const rows = ["", "-webp"].flatMap((suffix) =>
    names.map((name) => {
      const of = (pick: (measured: Measured) => number) => median((results.get(name + suffix) ?? []).map(pick));
      const ratios = (pick: (measured: Measured) => number) => ratio(results, name + suffix, `recipe${suffix}`, pick);
      const peak = of(({ peakMb }) => peakMb);
      return [
        `${titles[name]}${suffix === "" ? "" : ", without AVIF"}`,
        of(({ wall }) => count / wall).toFixed(2),
        of(({ cpu }) => cpu / count).toFixed(3),
        of(({ bytes }) => bytes / count / 1000).toFixed(1),
        // The floor holds the pixels of all photos, which says nothing.
        Number.isNaN(peak) || name === "floor" ? "–" : peak.toFixed(0),
        `${ratios(({ wall }) => wall).toFixed(2)} ×`,
        `${ratios(({ cpu }) => cpu).toFixed(2)} ×`,
      ];
    }),
  );
  return markdownTable(head, rows);
}

/** The median, over the rounds, of what `a` took divided by what `b` took in the same round. */
function ratio(results: Rounds, a: string, b: string, pick: (measured: Measured) => number): number {
  const [ofA, ofB] = [(results.get(a) ?? []).map(pick), (results.get(b) ?? []).map(pick)];
  return median(ofA.map((value, round) => value / (ofB[round] ?? Number.NaN)));
}

function verdict(results: Rounds): string {
  const goals: [what: string, reached: number, goal: number, atMost?: boolean][] = [];
  for (const suffix of ["", "-webp"]) {
    const where = suffix === "" ? "" : ", without AVIF";
    const against = (name: string, pick: (measured: Measured) => number) =>
      ratio(results, name + suffix, `recipe${suffix}`, pick);
    goals.push([`CPU of the codec floor / CPU${where}`, against("floor", ({ cpu }) => cpu), 0.9]);
    goals.push([`photos/s / sharp as usually written${where}`, against("naive", ({ wall }) => wall), suffix ? 2.5 : 4]);
    const bytes = 1 / against("naive", ({ bytes: made }) => made);
    goals.push([`bytes / sharp as usually written${where}`, bytes, 1.03, true]);
    if (results.has("vips")) {
      goals.push([`photos/s / vipsthumbnail${where}`, against("vips", ({ wall }) => wall), 2.5]);
    }
  }
  const peak = Math.max(...(results.get("recipe") ?? []).map(({ peakMb }) => peakMb));
  goals.push(["peak RSS, MB, highest of all rounds", peak, 330, true]);
  const rows = goals.map(([what, reached, goal, atMost = false]) => {
    const isReached = atMost ? reached <= goal : reached >= goal;
    return [what, reached.toFixed(2), `${atMost ? "≤" : "≥"} ${goal}`, isReached ? "reached" : "MISSED"];
  });
  return markdownTable(["goal", "here", "asked", ""], rows);
}
