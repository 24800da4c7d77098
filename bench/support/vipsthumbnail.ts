import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Measured } from "./image-child.ts";

const execFileAsync = promisify(execFile);

const webps = ["--size 320x -o small.webp[Q=80,strip]", "--size 640x -o medium.webp[Q=80,strip]"].concat(
  "--size 1280x -o large.webp[Q=80,strip]",
);
const avif = "--size 640x -o medium.avif[Q=50,strip]";

/** The version line of the installed `vipsthumbnail`, undefined when there is none. */
export function vipsthumbnailVersion(): string | undefined {
  try {
    return execFileSync("vipsthumbnail", ["--vips-version"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/**
 * Makes the same variants with the command line tool, one process for each, two photos at a time. CPU is that of the
 * tool alone, as the shell's `times` tells it; peak memory is unknown (NaN). Writes to a temporary directory only.
 */
export async function runVipsthumbnail(paths: string[], inFlight: number, withAvif: boolean): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), "bench-vips-"));
  const started = performance.now();
  let cpu = 0;
  const queue = paths.entries();
  const lane = async () => {
    for (const [i, path] of queue) {
      const seconds = await thumbnails(path, join(directory, String(i)), withAvif ? [...webps, avif] : webps);
      cpu += seconds;
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
    const wall = (performance.now() - started) / 1000;
    const files = await readdir(directory);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
    return { wall, cpu, bytes: sizes.reduce((sum, size) => sum + size, 0), peakMb: Number.NaN };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function thumbnails(path: string, prefix: string, variants: string[]): Promise<number> {
  const commands = variants.map((variant) => `vipsthumbnail "$0" ${variant.replace("-o ", '-o "$1"-')}`);
  // sharp sets VIPSHOME for itself; with it the tool looks for its AVIF module in the wrong place.
  const { VIPSHOME: _, ...env } = process.env;
  const { stdout } = await execFileAsync("sh", ["-c", `${commands.join(" && ")} && times`, path, prefix], { env });
  const ofChildren = stdout.trim().split("\n").at(-1) ?? "";
  return [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
}
